internal import CNftnl
internal import Glibc
internal import WireCore

/// Reads a rule's expressions as the kernel runs them: what is loaded into which register, and what it is compared with.
struct FilterExpressions {
  private(set) var conditions: [FilterCondition] = []
  private(set) var outcome = FilterOutcome.goesOn
  /// What the registers hold, where it is a field that we know.
  private var registers: [UInt32: FilterField] = [:]
  private let reading: FilterReading

  init(_ expressions: Attributes, _ reading: FilterReading) {
    self.reading = reading
    expressions.forEach { _, expression in
      guard let name = expression[Int(NFTA_EXPR_NAME.rawValue)]?.text else { return }
      let none = Attributes(bytes: UnsafeRawBufferPointer(start: nil, count: 0))
      read(name, expression[Int(NFTA_EXPR_DATA.rawValue)] ?? none)
    }
  }

  private mutating func read(_ name: String, _ data: Attributes) {
    switch name {
    case "meta": load(data, NFTA_META_DREG, data[Int(NFTA_META_KEY.rawValue)]?.number.flatMap(Self.meta))
    case "ct": load(data, NFTA_CT_DREG, data[Int(NFTA_CT_KEY.rawValue)]?.number.flatMap(Self.connection))
    case "payload": load(data, NFTA_PAYLOAD_DREG, Self.payload(data) ?? address(data))
    case "bitwise": mask(data)
    case "cmp": compare(data)
    case "range": range(data)
    case "lookup": lookUp(data)
    case "immediate": decide(data)
    case "reject": outcome = .reject
    case "match" where reading == .translations && data.name == "addrtype": conditions.append(addressType(data))
    case "fib" where reading == .translations: load(data, NFTA_FIB_DREG, Self.fib(data))
    case "match": conditions += XtablesMatch.conditions(name: data.name, info: data.info)
    case "target": outcome = XtablesTarget.outcome(name: data.name)
    // What they load is not followed: comparing it narrows.
    case "fib", "socket", "osf", "hash", "numgen", "rt", "exthdr", "byteorder", "xfrm", "tunnel", "inner":
      registers = [:]
    case "limit", "quota", "connlimit", "dynset", "last": conditions.append(.narrows)
    case "counter", "log", "notrack", "masq", "nat", "redir", "objref", "flow_offload", "dup": break
    case "tproxy": outcome = .accept
    default: outcome = .unknown(name)
    }
  }

  private static func meta(_ key: UInt32) -> FilterField? {
    switch key {
    case NFT_META_IIFNAME.rawValue: .iifname
    case NFT_META_OIFNAME.rawValue: .oifname
    case NFT_META_IIF.rawValue: .iif
    case NFT_META_OIF.rawValue: .oif
    case NFT_META_NFPROTO.rawValue: .networkProtocol
    case NFT_META_PROTOCOL.rawValue: .etherType
    case NFT_META_L4PROTO.rawValue: .transport
    case NFT_META_BRI_IIFNAME.rawValue: .inputBridge
    case NFT_META_BRI_OIFNAME.rawValue: .outputBridge
    default: nil
    }
  }

  private static func connection(_ key: UInt32) -> FilterField? {
    switch key {
    case NFT_CT_STATE.rawValue: .state(mask: .max)
    case NFT_CT_STATUS.rawValue: .status(mask: .max)
    default: nil
    }
  }

  private static func payload(_ data: Attributes) -> FilterField? {
    let isPort =
      data[Int(NFTA_PAYLOAD_BASE.rawValue)]?.number == NFT_PAYLOAD_TRANSPORT_HEADER.rawValue
      && data[Int(NFTA_PAYLOAD_OFFSET.rawValue)]?.number == 2 && data[Int(NFTA_PAYLOAD_LEN.rawValue)]?.number == 2
    return isPort ? .destinationPort : nil
  }

  /// The source or the destination of the network header, or whole bytes of its beginning.
  private func address(_ data: Attributes) -> FilterField? {
    guard reading == .translations,
      data[Int(NFTA_PAYLOAD_BASE.rawValue)]?.number == NFT_PAYLOAD_NETWORK_HEADER.rawValue,
      let length = data[Int(NFTA_PAYLOAD_LEN.rawValue)]?.number
    else { return nil }
    switch (data[Int(NFTA_PAYLOAD_OFFSET.rawValue)]?.number, length) {
    case (12, 1...4), (8, 5...16): return .sourceAddress
    case (16, 1...4), (24, 1...16): return .destinationAddress
    default: return nil
    }
  }

  private static func fib(_ data: Attributes) -> FilterField? {
    let asksType = data[Int(NFTA_FIB_RESULT.rawValue)]?.number == NFT_FIB_RESULT_ADDRTYPE.rawValue
    return asksType && data[Int(NFTA_FIB_FLAGS.rawValue)]?.number == NFTA_FIB_F_DADDR.rawValue ? .destinationType : nil
  }

  /// `struct xt_addrtype_info_v1`: bits of address types, of the source and of the destination.
  private func addressType(_ data: Attributes) -> FilterCondition {
    let info = data.info
    let (flags, local) = (info.word(at: 4), UInt32(1) << UInt32(RTN_LOCAL))
    guard data[Int(NFTA_MATCH_REV.rawValue)]?.number == 1, info.count >= 8, info.half(at: 0) == 0,
      info.half(at: 2) == local, flags & ~2 == 0
    else { return .narrows }
    return .equals(.destinationType, FilterField.local, isInverted: flags & 2 != 0)
  }

  /// An expression without a destination register sets a packet's field instead, which lets it go on.
  private mutating func load<Attribute: RawRepresentable<UInt32>>(
    _ data: Attributes, _ attribute: Attribute, _ field: FilterField?
  ) {
    guard let register = data[Int(attribute.rawValue)]?.number else { return }
    registers[register] = field
  }

  private mutating func mask(_ data: Attributes) {
    guard let source = data[Int(NFTA_BITWISE_SREG.rawValue)]?.number,
      let target = data[Int(NFTA_BITWISE_DREG.rawValue)]?.number
    else { return registers = [:] }
    let mask = data[Int(NFTA_BITWISE_MASK.rawValue)]?[Int(NFTA_DATA_VALUE.rawValue)]?.hostNumber
    let field = registers[source]
    registers[target] =
      switch (field, mask) {
      case (.state, let mask?): .state(mask: mask)
      case (.status, let mask?): .status(mask: mask)
      default: nil
      }
  }

  private mutating func compare(_ data: Attributes) {
    let operation = data[Int(NFTA_CMP_OP.rawValue)]?.number
    guard let register = data[Int(NFTA_CMP_SREG.rawValue)]?.number, let field = registers[register],
      let value = data[Int(NFTA_CMP_DATA.rawValue)]?[Int(NFTA_DATA_VALUE.rawValue)]?.array
    else { return narrow(isInverted: operation == NFT_CMP_NEQ.rawValue) }
    switch operation {
    case NFT_CMP_EQ.rawValue: conditions.append(.equals(field, value, isInverted: false))
    case NFT_CMP_NEQ.rawValue: conditions.append(.equals(field, value, isInverted: true))
    case NFT_CMP_GTE.rawValue where field == .destinationPort:
      conditions.append(.isWithin(field, value.number...UInt32(UInt16.max), isInverted: false))
    case NFT_CMP_LTE.rawValue where field == .destinationPort:
      conditions.append(.isWithin(field, 0...value.number, isInverted: false))
    default: conditions.append(.narrows)
    }
  }

  /// What is only said not to be may be anything else: that is no narrow condition.
  private mutating func narrow(isInverted: Bool) {
    conditions.append(isInverted ? .unknown("a condition on what a packet is not") : .narrows)
  }

  private mutating func range(_ data: Attributes) {
    let isInverted = data[Int(NFTA_RANGE_OP.rawValue)]?.number == NFT_RANGE_NEQ.rawValue
    guard let register = data[Int(NFTA_RANGE_SREG.rawValue)]?.number, registers[register] == .destinationPort,
      let first = data[Int(NFTA_RANGE_FROM_DATA.rawValue)]?[Int(NFTA_DATA_VALUE.rawValue)]?.array.number,
      let last = data[Int(NFTA_RANGE_TO_DATA.rawValue)]?[Int(NFTA_DATA_VALUE.rawValue)]?.array.number, first <= last
    else { return narrow(isInverted: isInverted) }
    conditions.append(.isWithin(.destinationPort, first...last, isInverted: isInverted))
  }

  private mutating func lookUp(_ data: Attributes) {
    let set = data[Int(NFTA_LOOKUP_SET.rawValue)]?.text ?? ""
    let field = data[Int(NFTA_LOOKUP_SREG.rawValue)]?.number.flatMap { registers[$0] }
    if let target = data[Int(NFTA_LOOKUP_DREG.rawValue)]?.number {
      guard target == NFT_REG_VERDICT.rawValue else { return registers[target] = nil }
      outcome = field.map { .lookedUp($0, set: set) } ?? .unknown("a verdict map")
      return
    }
    let flags = data[Int(NFTA_LOOKUP_FLAGS.rawValue)]?.number ?? 0
    let isInverted = flags & UInt32(NFT_LOOKUP_F_INV.rawValue) != 0
    guard let field else { return narrow(isInverted: isInverted) }
    conditions.append(.isIn(field, set: set, isInverted: isInverted))
  }

  private mutating func decide(_ data: Attributes) {
    guard let verdict = data[Int(NFTA_IMMEDIATE_DATA.rawValue)]?[Int(NFTA_DATA_VERDICT.rawValue)] else {
      // Data for a register.
      registers = [:]
      return
    }
    outcome = FilterOutcome(verdict: verdict)
  }
}

extension FilterOutcome {
  /// Reads an NFTA_DATA_VERDICT.
  init(verdict: Attributes) {
    let chain = verdict[Int(NFTA_VERDICT_CHAIN.rawValue)]?.text ?? ""
    switch verdict[Int(NFTA_VERDICT_CODE.rawValue)]?.number.map({ Int32(bitPattern: $0) }) {
    case Int32(NF_ACCEPT): self = .accept
    case Int32(NF_DROP): self = .drop
    case NFT_CONTINUE.rawValue: self = .goesOn
    case NFT_RETURN.rawValue: self = .returns
    case NFT_JUMP.rawValue: self = .jump(chain)
    case NFT_GOTO.rawValue: self = .goto(chain)
    default: self = .unknown("a verdict")
    }
  }
}

extension Attributes {
  /// NFTA_MATCH_NAME and NFTA_TARGET_NAME are the same number.
  fileprivate var name: String { self[Int(NFTA_MATCH_NAME.rawValue)]?.text ?? "" }
  fileprivate var info: [UInt8] { self[Int(NFTA_MATCH_INFO.rawValue)]?.array ?? [] }
}

extension FilterField {
  /// The value of `destinationType` for the host's own addresses.
  package static var local: [UInt8] { withUnsafeBytes(of: UInt32(RTN_LOCAL)) { Array($0) } }
}

extension [UInt8] {
  /// A number in network order, of at most four bytes.
  fileprivate var number: UInt32 { prefix(4).reduce(0) { $0 << 8 | UInt32($1) } }
}
