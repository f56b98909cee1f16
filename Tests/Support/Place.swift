import CLinux
import Foundation
import Glibc

/// Somewhere that packets come from and go to: a network namespace with a name for messages.
package protocol Place: Sendable {
  var name: String { get }
  /// A file that stands for the network namespace: `/run/netns/NAME` or `/proc/PID/ns/net`.
  var netns: String { get }
}

extension Place {
  /// Runs a program in the namespace, whatever its end.
  package func run(_ words: [String], input: [UInt8] = [], limit: Duration = .seconds(20)) throws -> Command.Result {
    var command = Command(["nsenter", "--net=\(netns)", "--"] + words)
    command.input = input
    command.limit = limit
    return try command.run()
  }

  /// Runs a program in the namespace, given as one line without quotes; its failure ends the test.
  @discardableResult
  package func sh(_ line: String) throws -> String {
    try Command.require(["nsenter", "--net=\(netns)", "--"] + line.split(separator: " ").map(String.init))
  }

  /// `ip ARGUMENTS`.
  @discardableResult
  package func ip(_ line: String) throws -> String { try sh("ip \(line)") }

  /// `nft -f -` with a text of rules.
  package func nft(_ rules: String) throws {
    try Command.require(["nsenter", "--net=\(netns)", "--", "nft", "-f", "-"], input: Array(rules.utf8))
  }

  /// `ip -j ARGUMENTS`, parsed.
  package func json(_ line: String) throws -> JSON { try JSON(parsing: sh("ip -j \(line)")) }

  /// A value under /proc/sys/net of this namespace; nil where there is none.
  package func sysctl(_ key: String) throws -> String? {
    try inside {
      guard let text = try? String(contentsOfFile: "/proc/sys/\(key)", encoding: .utf8) else { return nil }
      return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }
  }

  package func setSysctl(_ key: String, _ value: String) throws {
    try inside {
      let file = open("/proc/sys/\(key)", O_WRONLY | O_CLOEXEC)
      defer { close(file) }
      guard file >= 0, write(file, value, value.utf8.count) > 0 else { throw Failure("\(name): cannot set \(key)") }
    }
  }

  /// Global and host-wide addresses of a link, `ADDRESS/LENGTH`, sorted.
  package func addresses(_ link: String) throws -> [String] {
    try json("addr show dev \(link)")[0]["addr_info"].array.filter { $0["scope"].string != "link" }
      .map { "\($0["local"].string ?? "")/\($0["prefixlen"].int ?? -1)" }.sorted()
  }

  /// The names of the links, without the `@…` of pairs, sorted.
  package func links() throws -> [String] { try json("link show").array.compactMap { $0["ifname"].string }.sorted() }

  /// Whether one of a few echo requests was answered within the time.
  package func pings(_ address: String, attempts: Int = 1, within seconds: Int = 4) throws -> Bool {
    try run(["ping", "-n", "-q", "-i", "0.1", "-c", "\(attempts)", "-W", "\(seconds)", "-w", "\(seconds + 1)", address])
      .succeeded
  }

  /// Runs `body` on a thread of its own inside the namespace. A socket opened there stays there.
  package func inside<Outcome>(_ body: @escaping () throws -> Outcome) throws -> Outcome {
    let namespace = netns
    return try ThreadBox {
      let file = open(namespace, O_RDONLY | O_CLOEXEC)
      guard file >= 0 else { throw Failure("open \(namespace): \(String(cString: strerror(errno)))") }
      defer { close(file) }
      guard clinux_setns(file, 0x4000_0000) == 0 else { throw Failure("setns: \(String(cString: strerror(errno)))") }
      return try body()
    }.value()
  }
}

/// A thread that ends with its one job, since setns(2) changes the thread for good.
private final class ThreadBox<Outcome>: @unchecked Sendable {
  private let job: () throws -> Outcome
  private var result: Result<Outcome, any Error>?
  private let done = DispatchSemaphore(value: 0)

  init(_ job: @escaping () throws -> Outcome) { self.job = job }

  func value() throws -> Outcome {
    Thread { [self] in
      result = Result { try job() }
      done.signal()
    }.start()
    done.wait()
    guard let result else { throw Failure("the thread ended without a result") }
    return try result.get()
  }
}
