package import WireCore
internal import WireJSON
package import WireLinux

/// A conversation with a database server (RFC 7047). Requests may be sent ahead: replies are found by their number.
package final class OVSDBConnection {
  /// A transaction that was sent.
  package struct Request: Sendable, Hashable {
    let id: Int64
    /// How many results are to come.
    let count: Int
    /// What it is for, as errors say it.
    let purpose: String

    var waiting: String { "waiting for the reply to \(purpose)" }
  }

  /// The name of Open vSwitch's database.
  package static let database = "Open_vSwitch"
  /// How many messages that nobody asked for may come before a reply.
  private static let strayLimit = 1000

  package var address: DatabaseAddress { socket.address }

  private let socket: DatabaseSocket
  private let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
  /// What has come and is not read yet.
  private var received: [UInt8] = []
  private var scanner = DocumentScanner()
  private var lastID: Int64 = 0
  /// The requests that have no reply yet, and the replies that nobody has asked for yet.
  private var outstanding: [Int64] = []
  private var replies: [(id: Int64, message: JSONValue)] = []

  package init(_ address: DatabaseAddress, until deadline: Deadline) throws(OVSDBError) {
    socket = try DatabaseSocket(connectingTo: address, until: deadline)
  }

  deinit { chunk.deallocate() }

  /// Sends a transaction without waiting for its results. `purpose` completes `waiting for the reply to …`.
  package func send(
    _ operations: [OVSDBOperation], for purpose: String, until deadline: Deadline
  ) throws(OVSDBError) -> Request {
    let parameters = [.string(Self.database)] + operations.map(\.json)
    return try send("transact", parameters, count: operations.count, for: purpose, until: deadline)
  }

  func send(
    _ method: String, _ parameters: [JSONValue], count: Int, for purpose: String, until deadline: Deadline
  ) throws(OVSDBError) -> Request {
    lastID += 1
    let request = Request(id: lastID, count: count, purpose: purpose)
    let message = JSONValue.object([
      .init("method", .string(method)), .init("params", .array(parameters)), .init("id", .integer(request.id)),
    ])
    try send(message, step: "sending \(purpose)", until: deadline)
    outstanding.append(request.id)
    return request
  }

  /// Waits for the results of a transaction: one for each operation.
  package func results(of request: Request, until deadline: Deadline) throws(OVSDBError) -> OVSDBResults {
    try OVSDBResults(reply(to: request, until: deadline), request, address)
  }

  func reply(to request: Request, until deadline: Deadline) throws(OVSDBError) -> JSONValue {
    var strays = 0
    while true {
      if let index = replies.firstIndex(where: { $0.id == request.id }) { return replies.remove(at: index).message }
      guard strays <= Self.strayLimit else {
        throw OVSDBError(address, request.waiting, .garbage("\(strays) messages, and none of them is the reply"))
      }
      let message = try nextMessage(step: request.waiting, until: deadline)
      if case .string("echo")? = message["method"], let id = message["id"], id != .null {
        try answer(echo: message, id, until: deadline)
      } else if message["method"] == nil, case .integer(let id)? = message["id"],
        let index = outstanding.firstIndex(of: id)
      {
        outstanding.remove(at: index)
        replies.append((id, message))
        continue
      }
      strays += 1
    }
  }

  /// The server asks whether we are still there when it has heard nothing for some seconds (RFC 7047, section 4.1.11).
  private func answer(echo: JSONValue, _ id: JSONValue, until deadline: Deadline) throws(OVSDBError) {
    let reply = JSONValue.object([
      .init("id", id), .init("result", echo["params"] ?? .array([])), .init("error", .null),
    ])
    try send(reply, step: "answering an echo request", until: deadline)
  }

  private func send(_ message: JSONValue, step: String, until deadline: Deadline) throws(OVSDBError) {
    try socket.send(Array(JSONWriter.compact(message).utf8), step: step, until: deadline)
  }

  private func nextMessage(step: String, until deadline: Deadline) throws(OVSDBError) -> JSONValue {
    let document = try nextDocument(step: step, until: deadline)
    do throws(JSONError) {
      let limits = JSONLimits(
        size: DocumentScanner.sizeLimit, depth: DocumentScanner.depthLimit, values: DocumentScanner.valueLimit)
      return try JSONValue.parse(document, limits: limits, duplicates: .lastWins)
    } catch {
      throw OVSDBError(address, step, .garbage(error.why))
    }
  }

  private func nextDocument(step: String, until deadline: Deadline) throws(OVSDBError) -> [UInt8] {
    while true {
      do throws(OVSDBError.Kind) {
        if let end = try scanner.end(in: received) { return take(end) }
      } catch {
        throw OVSDBError(address, step, error)
      }
      let count = try socket.receive(into: chunk, step: step, until: deadline)
      received.append(contentsOf: chunk[..<count])
    }
  }

  /// Takes a document away. What follows it is less than a chunk.
  private func take(_ end: Int) -> [UInt8] {
    defer { received.removeFirst(end) }
    return Array(received[..<end])
  }
}
