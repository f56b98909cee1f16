internal import WireCore

/// A message of OpenFlow 1.4, the first version with bundles: changes that take effect together or not at all.
struct OpenFlowMessage: Sendable, Hashable {
  enum Kind: UInt8, Sendable {
    case hello = 0
    case error = 1
    case echoRequest = 2
    case echoReply = 3
    case flowModification = 14
    case multipartRequest = 18
    case multipartReply = 19
    case bundleControl = 33
    case bundleAddition = 34
  }

  static let version: UInt8 = 5
  static let headerLength = 8

  var version = Self.version
  var kind: UInt8
  /// A reply has that of its request.
  var transaction: UInt32
  var body: [UInt8]

  init(_ kind: Kind, _ transaction: UInt32, _ body: [UInt8] = []) {
    self.kind = kind.rawValue
    self.transaction = transaction
    self.body = body
  }

  var bytes: [UInt8] {
    var bytes = [version, kind]
    bytes.append(number: UInt16(truncatingIfNeeded: Self.headerLength + body.count))
    bytes.append(number: transaction)
    return bytes + body
  }

  /// Takes the first message off what has come; nil: it is not all there yet.
  static func take(from received: inout [UInt8]) throws(OVSDBError.Kind) -> OpenFlowMessage? {
    var reader = BytesReader(received)
    guard let version = reader.number(UInt8.self), let kind = reader.number(UInt8.self),
      let length = reader.number(UInt16.self), let transaction = reader.number(UInt32.self)
    else { return nil }
    guard (1...6).contains(version), length >= headerLength else {
      throw .notOpenFlow("found \(String(decoding: received.prefix(16), as: UTF8.self).quoted)")
    }
    guard let body = reader.take(Int(length) - headerLength) else { return nil }
    var message = OpenFlowMessage(.hello, transaction, Array(body))
    (message.version, message.kind) = (version, kind)
    received.removeFirst(Int(length))
    return message
  }
}

// MARK: The beginning

extension OpenFlowMessage {
  /// Offers this version alone.
  static func hello(_ transaction: UInt32) -> OpenFlowMessage {
    OpenFlowMessage(.hello, transaction, [0, 1, 0, 8, 0, 0, 0, 1 << version])
  }

  /// Whether a greeting offers our version: in its bitmap, else by its own version (OpenFlow 1.4, 7.5.1).
  var offersOurVersion: Bool {
    var reader = BytesReader(body)
    while let type = reader.number(UInt16.self), let length = reader.number(UInt16.self), length >= 4,
      let element = reader.take(Int(length) - 4)
    {
      if type == 1, element.count >= 4 { return element.prefix(4).last.map { $0 & 1 << Self.version != 0 } ?? false }
      guard reader.take((8 - Int(length) % 8) % 8) != nil else { break }
    }
    return version >= Self.version
  }

  /// What an error message says.
  var refusal: OVSDBError.Kind {
    var reader = BytesReader(body)
    guard let type = reader.number(UInt16.self), let code = reader.number(UInt16.self) else {
      return .notOpenFlow("an error without a type")
    }
    return type == 0 ? .openFlowVersion : .flowsRefused(type: type, code: code)
  }
}

// MARK: Bundles

extension OpenFlowMessage {
  enum Bundle: UInt16 {
    case open = 0
    case commit = 4
  }

  private static let bundle: UInt32 = 1

  /// Atomic and in order.
  private static let bundleFlags: UInt16 = 3

  static func bundle(_ type: Bundle, _ transaction: UInt32) -> OpenFlowMessage {
    var body: [UInt8] = []
    body.append(number: bundle)
    body.append(number: type.rawValue)
    body.append(number: bundleFlags)
    return OpenFlowMessage(.bundleControl, transaction, body)
  }

  /// The message within has the same transaction.
  static func bundled(_ change: FlowChange, _ transaction: UInt32) -> OpenFlowMessage {
    var body: [UInt8] = []
    body.append(number: bundle)
    body.append(zeros: 2)
    body.append(number: bundleFlags)
    return OpenFlowMessage(
      .bundleAddition, transaction, body + OpenFlowMessage(.flowModification, transaction, change.body).bytes)
  }

  var isCommitted: Bool {
    kind == Kind.bundleControl.rawValue && body.prefix(6).suffix(2).elementsEqual([0, 5])
  }
}
