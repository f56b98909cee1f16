import Foundation
import Glibc
import WireCore

/// What a client got back.
package enum Answer: Sendable, Hashable, CustomStringConvertible {
  /// The server's name, and the client's address as the server saw it.
  case reply(from: String, seenAs: String)
  /// A reset, or an ICMP "port unreachable".
  case refused
  /// Nothing within the time.
  case silence
  case failed(String)

  package var server: String? { if case .reply(let server, _) = self { server } else { nil } }
  package var client: String? { if case .reply(_, let client) = self { client } else { nil } }
  package var description: String {
    switch self {
    case .reply(let server, let client): "\(server) answered \(client)"
    case .refused: "refused"
    case .silence: "silence"
    case .failed(let why): why
    }
  }
}

extension Place {
  /// Connects, reads what the server says of its client, and closes.
  package func ask(_ address: String, _ port: UInt16, within limit: Duration = .seconds(4)) throws -> Answer {
    let socket = try inside { try Socket(.tcp, towards: address) }
    let end = ContinuousClock.now + limit
    if let trouble = socket.connect(to: address, port) {
      guard trouble == EINPROGRESS else { return Answer(errno: trouble) }
      guard socket.wait(for: POLLOUT, until: end) else { return .silence }
      let outcome = socket.pendingError
      guard outcome == 0 else { return Answer(errno: outcome) }
    }
    var text: [UInt8] = []
    while true {
      guard socket.wait(for: POLLIN, until: end) else { return .silence }
      switch socket.read() {
      case .success(let bytes) where bytes.isEmpty: return Answer(line: text)
      case .success(let bytes): text += bytes
      case .failure(let trouble): return text.isEmpty ? Answer(errno: trouble.code) : Answer(line: text)
      }
    }
  }

  /// Sends one datagram from a connected socket (an answer from any other address does not count) and waits for the answer.
  package func askUDP(
    _ address: String, _ port: UInt16, from source: UInt16 = 0, within limit: Duration = .seconds(2)
  ) throws -> Answer {
    let socket = try inside { try Socket(.udp, towards: address) }
    if source > 0 { try socket.bind(IPAddress.any(socket.family).description, source) }
    let end = ContinuousClock.now + limit
    if let trouble = socket.connect(to: address, port) { return Answer(errno: trouble) }
    if let trouble = socket.write([0x3f]) { return Answer(errno: trouble) }
    guard socket.wait(for: POLLIN, until: end) else { return .silence }
    switch socket.read() {
    case .success(let bytes): return Answer(line: bytes)
    case .failure(let trouble): return Answer(errno: trouble.code)
    }
  }

  /// How many bytes a server of `serve(…, padding:)` delivers before it closes or the time is over.
  package func download(_ address: String, _ port: UInt16, within limit: Duration = .seconds(15)) throws -> Int {
    let socket = try inside { try Socket(.tcp, towards: address) }
    let end = ContinuousClock.now + limit
    if socket.connect(to: address, port) == EINPROGRESS { _ = socket.wait(for: POLLOUT, until: end) }
    var count = 0
    while socket.wait(for: POLLIN, until: end), case .success(let bytes) = socket.read(), !bytes.isEmpty {
      count += bytes.count
    }
    return count
  }
}

/// A connection that stays open until it is let go.
package final class HeldConnection: Sendable {
  private let socket: Socket
  fileprivate init(_ socket: Socket) { self.socket = socket }
}

extension Place {
  /// Connects from the local port `source` and keeps the connection.
  package func hold(_ address: String, _ port: UInt16, from source: UInt16) throws -> HeldConnection {
    let socket = try inside { try Socket(.tcp, towards: address) }
    try socket.bind(IPAddress.any(socket.family).description, source)
    if let trouble = socket.connect(to: address, port) {
      let connected = trouble == EINPROGRESS && socket.wait(for: POLLOUT, until: .now + .seconds(2))
      guard connected, socket.pendingError == 0 else { throw Failure("\(name) cannot connect to \(address) \(port)") }
    }
    return HeldConnection(socket)
  }
}

extension Answer {
  fileprivate init(errno code: Int32) {
    switch code {
    case ECONNREFUSED, ECONNRESET: self = .refused
    default: self = .failed(String(cString: strerror(code)))
    }
  }

  fileprivate init(line bytes: [UInt8]) {
    let line = bytes.prefix { $0 != UInt8(ascii: "\n") }
    let words = String(decoding: line, as: UTF8.self).split(separator: " ").map(String.init)
    self = words.count == 2 ? .reply(from: words[0], seenAs: words[1]) : .failed("an empty answer")
  }
}
