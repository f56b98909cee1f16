import CLinux
import Foundation
import Glibc
import Testing
import WireCore

@testable import WireNFTables

/// CLONE_NEWNET of <linux/sched.h>.
private let newNetworkNamespace: Int32 = 0x4000_0000

/// A network namespace of a test's own, kept by a descriptor; it dies with it.
final class LabNamespace: @unchecked Sendable {
  let descriptor: Int32

  init() {
    let opened = Locked<Int32>(-1)
    onThread {
      guard clinux_unshare(newNetworkNamespace) == 0 else { return }
      opened.value = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)
    }
    descriptor = opened.value
    sh("ip link set lo up")
  }

  deinit { close(descriptor) }

  /// The namespace as iproute2 takes it.
  var path: String { "/proc/\(getpid())/fd/\(descriptor)" }

  /// Runs `body` inside, on a thread of its own that ends with it.
  func run<Result: Sendable>(_ body: @escaping @Sendable () -> Result) -> Result {
    let result = Locked<Result?>(nil)
    let descriptor = descriptor
    onThread {
      guard clinux_setns(descriptor, newNetworkNamespace) == 0 else { return }
      result.value = body()
    }
    guard let value = result.value else { preconditionFailure("setns(2): root is needed") }
    return value
  }

  /// Runs a shell command inside and returns what it printed. A failure is the test's, unless `mayFail`.
  @discardableResult
  func sh(_ command: String, mayFail: Bool = false) -> String {
    run {
      let script = "exec 2>&1\nset -e\n" + command
      guard let pipe = popen("nsenter --net=\(self.path) sh -c '\(script.replacing("'", with: "'\\''"))'", "r") else {
        return "popen failed"
      }
      var output: [UInt8] = []
      var buffer = [UInt8](repeating: 0, count: 4096)
      while true {
        let count = fread(&buffer, 1, buffer.count, pipe)
        guard count > 0 else { break }
        output += buffer[..<count]
      }
      let text = String(decoding: output, as: UTF8.self)
      let status = pclose(pipe)
      if status != 0, !mayFail { Issue.record("\(command): status \(status): \(text)") }
      return text
    }
  }

  /// Runs `body` with a firewall socket opened inside.
  func firewall<Result: Sendable>(
    _ body: @escaping @Sendable (borrowing FirewallSocket) throws(NFTablesError) -> Result
  ) throws -> Result {
    try run { () -> Swift.Result<Result, NFTablesError> in
      do throws(NFTablesError) {
        let socket = try FirewallSocket()
        return .success(try body(socket))
      } catch { return .failure(error) }
    }.get()
  }
}

/// Runs `body` on a thread of its own and waits for its end: setns(2) and unshare(2) must not leak into a pool.
func onThread(_ body: @escaping @Sendable () -> Void) {
  let done = DispatchSemaphore(value: 0)
  let thread = Thread {
    body()
    done.signal()
  }
  thread.start()
  done.wait()
}

final class Locked<Value>: @unchecked Sendable {
  private let lock = NSLock()
  private var stored: Value
  init(_ value: Value) { stored = value }
  var value: Value {
    get { lock.withLock { stored } }
    set { lock.withLock { stored = newValue } }
  }
}

/// Ten seconds from now.
var soon: Int64 { MonotonicClock.milliseconds + 10_000 }

func address(_ text: String) -> IPAddress {
  guard let address = IPAddress(text) else { preconditionFailure(text) }
  return address
}

func prefix(_ text: String) -> Prefix {
  guard let prefix = Prefix(text) else { preconditionFailure(text) }
  return prefix
}

func link(_ text: String) -> InterfaceName {
  guard let name = InterfaceName(text) else { preconditionFailure(text) }
  return name
}

/// A published port: `(on: "192.168.1.9", 8080, "10.210.4.2", 80)`.
func port(
  on host: String? = nil, _ hostPort: UInt16, to container: String, _ containerPort: UInt16 = 80,
  _ transport: TransportProtocol = .tcp
) -> Element {
  let mapping = PortMapping(
    transport, hostAddress: host.map { address($0) }, hostPort: hostPort, containerPort: containerPort)
  guard let element = Element.port(mapping, to: address(container)) else { preconditionFailure("families differ") }
  return element
}
