package import WireCore

/// An entry of a bridge's first flow table.
package struct Flow: Sendable, Hashable {
  package enum Outcome: Sendable, Hashable {
    case drop
    /// The packet goes through the table once more, with this note. So whatever else the table has is done with it as if there
    /// were no flows of ours.
    case again(FlowNote)
  }

  package let cookie: UInt64
  package let priority: UInt16
  /// Sorted, as they are compared: an order in which each field comes after what it depends on.
  private let match: [FlowField]
  /// What is done, as it is on the wire.
  private let instructions: [UInt8]

  package init(cookie: UInt64, priority: UInt16, _ match: [FlowField], _ outcome: Outcome) {
    self.init(cookie: cookie, priority: priority, match: match, instructions: Self.instructions(outcome))
  }

  private init(cookie: UInt64, priority: UInt16, match: [FlowField], instructions: [UInt8]) {
    self.cookie = cookie
    self.priority = priority
    self.match = match.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
    self.instructions = instructions
  }

  /// `OFPIT_APPLY_ACTIONS` with two actions of Open vSwitch, as `load:1->NXM_NX_REG15[BIT],resubmit(,0)`.
  private static func instructions(_ outcome: Outcome) -> [UInt8] {
    guard case .again(let note) = outcome else { return [] }
    var load: [UInt8] = []
    load.append(number: UInt16(note.rawValue) << 6)
    load += [0x00, 0x01, FlowNote.register << 1, 4]
    load.append(number: UInt64(1))
    let inPort: [UInt8] = [0xff, 0xf8]
    let actions = vendorAction(7, load) + vendorAction(14, inPort + [0, 0, 0, 0])
    var bytes: [UInt8] = []
    bytes.append(number: UInt16(4))
    bytes.append(number: UInt16(truncatingIfNeeded: 8 + actions.count))
    bytes.append(zeros: 4)
    return bytes + actions
  }

  /// An action of Nicira's (`NXAST_…`).
  private static func vendorAction(_ subtype: UInt16, _ body: [UInt8]) -> [UInt8] {
    var bytes: [UInt8] = [0xff, 0xff]
    bytes.append(number: UInt16(truncatingIfNeeded: 10 + body.count))
    bytes.append(number: UInt32(0x2320))
    bytes.append(number: subtype)
    return bytes + body
  }
}

/// Flows by their cookies, in those bits that `mask` has.
package struct FlowCookies: Sendable, Hashable {
  package var value: UInt64
  package var mask: UInt64

  package init(value: UInt64, mask: UInt64 = .max) {
    self.value = value
    self.mask = mask
  }

  /// All of ours: `WH` and 48 bits.
  package static let ours = FlowCookies(value: 0x5748 << 48, mask: 0xffff << 48)

  /// Those of one host end.
  package static func of(_ link: InterfaceName) -> FlowCookies {
    FlowCookies(value: cookie(of: link))
  }

  package static func cookie(of link: InterfaceName) -> UInt64 {
    ours.value | StableHash.of(link.description) >> 16
  }
}

/// A change of a bridge's flows.
package enum FlowChange: Sendable, Hashable {
  case add(Flow)
  /// Removes those of these cookies, with a port those of frames that come in by it.
  case remove(FlowCookies, inPort: UInt16? = nil)
}

extension FlowChange {
  /// The body of OFPT_FLOW_MOD.
  var body: [UInt8] {
    switch self {
    case .add(let flow):
      Self.body(.add, flow.cookie, mask: 0, priority: flow.priority, flow.matchBytes) + flow.instructionBytes
    case .remove(let cookies, let port):
      Self.body(
        .delete, cookies.value, mask: cookies.mask, priority: 0, Flow.encode(port.map { [.inPort($0)] } ?? []))
    }
  }

  private enum Command: UInt8 { case add = 0, delete = 3 }

  private static func body(
    _ command: Command, _ cookie: UInt64, mask: UInt64, priority: UInt16, _ match: [UInt8]
  ) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(number: cookie)
    bytes.append(number: mask)
    // Ours are in the first table, and are removed from all.
    bytes.append(command == .add ? 0 : 0xff)
    bytes.append(command.rawValue)
    // They never expire.
    bytes.append(zeros: 4)
    bytes.append(number: priority)
    // No buffer; of any port and group.
    for _ in 0..<3 { bytes.append(number: UInt32.max) }
    bytes.append(zeros: 4)
    return bytes + match
  }
}

extension Flow {
  fileprivate var matchBytes: [UInt8] { Self.encode(match) }
  fileprivate var instructionBytes: [UInt8] { instructions }

  /// `OFPMT_OXM`, its length without the padding.
  static func encode(_ fields: [FlowField]) -> [UInt8] {
    let fields = fields.flatMap(\.bytes)
    var bytes: [UInt8] = [0, 1]
    bytes.append(number: UInt16(truncatingIfNeeded: 4 + fields.count))
    bytes += fields
    bytes.pad()
    return bytes
  }

  /// The body of a question for the flows of these cookies (OFPMP_FLOW).
  static func question(_ cookies: FlowCookies) -> [UInt8] {
    var bytes: [UInt8] = [0, 1, 0, 0, 0, 0, 0, 0]
    bytes += [0xff, 0, 0, 0]
    for _ in 0..<2 { bytes.append(number: UInt32.max) }
    bytes.append(zeros: 4)
    bytes.append(number: cookies.value)
    bytes.append(number: cookies.mask)
    return bytes + encode([])
  }

  /// The flows of the first table in one part of the answer; nil where it is no such answer.
  static func list(_ bytes: ArraySlice<UInt8>) -> [Flow]? {
    var flows: [Flow] = []
    var reader = BytesReader(bytes)
    while reader.count > 0 {
      guard let length = reader.number(UInt16.self), let entry = reader.take(Int(length) - 2) else { return nil }
      guard let (table, flow) = read(entry) else { return nil }
      if table == 0 { flows.append(flow) }
    }
    return flows
  }

  private static func read(_ entry: ArraySlice<UInt8>) -> (table: UInt8, Flow)? {
    var reader = BytesReader(entry)
    // Between them: how old it is, when it ends; how often it was used.
    guard let table = reader.number(UInt8.self), reader.take(9) != nil, let priority = reader.number(UInt16.self),
      reader.take(10) != nil, let cookie = reader.number(UInt64.self), reader.take(16) != nil,
      let type = reader.number(UInt16.self), type == 1, let length = reader.number(UInt16.self), length >= 4,
      let fields = reader.take(Int(length) - 4).flatMap({ FlowField.list($0) }),
      reader.take((8 - Int(length) % 8) % 8) != nil, let rest = reader.take(reader.count)
    else { return nil }
    return (table, Flow(cookie: cookie, priority: priority, match: fields, instructions: Array(rest)))
  }
}
