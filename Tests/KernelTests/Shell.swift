import Foundation
import Glibc
import Testing
import WireCore
import WireLinux

/// What tests need of the machine. What `WIREHOOK_REQUIRE` names (`root,conntrack`) is taken to be there, so that its
/// absence fails the tests instead of skipping them.
enum Machine {
  static var hasRoot: Bool { geteuid() == 0 || isRequired("root") }

  static func has(_ tool: String) -> Bool {
    isRequired(tool) || ["/usr/sbin", "/usr/bin", "/sbin", "/bin"].contains { access("\($0)/\(tool)", X_OK) == 0 }
  }

  private static func isRequired(_ part: String) -> Bool {
    (ProcessInfo.processInfo.environment["WIREHOOK_REQUIRE"] ?? "").split(separator: ",").contains { $0 == part }
  }
}

/// Runs a command in the network namespace of the calling thread, and answers what it wrote to its standard output.
@discardableResult
func shell(_ command: String) throws -> String {
  guard let pipe = popen(command, "r") else { throw SystemError("popen", errno) }
  var output: [UInt8] = []
  var byte = fgetc(pipe)
  while byte != EOF {
    output.append(UInt8(truncatingIfNeeded: byte))
    byte = fgetc(pipe)
  }
  let status = pclose(pipe)
  guard status == 0 else { throw SystemError("popen", EINVAL, reason: "\(command) ended with status \(status)") }
  return String(decoding: output, as: UTF8.self)
}

/// The objects that a command such as `ip -j` prints.
func objects(_ command: String) throws -> [[String: Any]] {
  let value = try JSONSerialization.jsonObject(with: Data(try shell(command).utf8))
  return try #require(value as? [[String: Any]])
}

func name(_ text: String) throws -> InterfaceName { try #require(InterfaceName(text)) }

extension Deadline {
  /// Long enough for a busy machine, short enough for a test that hangs.
  static var soon: Deadline { .after(milliseconds: 20_000) }
}
