import Foundation
import Glibc

/// The shim, a main file and a runtime that only tells how it was started, in a folder of their own.
package final class ShimBench {
  package let folder: String
  package var shim: String

  /// Prints its words, environment, working directory and what it reads of descriptor 7, then runs `end`.
  package init(end: String = "exit 0") throws {
    folder = "/tmp/wht-shim-\(UUID().uuidString)"
    shim = try Built.path("wirehook-runc")
    try FileManager.default.createDirectory(atPath: "\(folder)/bundle", withIntermediateDirectories: true)
    try script(
      "runtime",
      """
      echo "words:$(printf ' <%s>' "$@")"
      echo "cwd: $PWD"
      echo "mark: $MARK"
      \(end)
      """)
    try main("\"runtime\": \"\(folder)/runtime\"")
  }
  deinit { try? FileManager.default.removeItem(atPath: folder) }

  package var configuration: String { "\(folder)/wirehook.json" }
  package var specification: String { "\(folder)/bundle/config.json" }

  /// Writes a program. By a shell, for a file that is open for writing anywhere cannot be executed.
  package func script(_ name: String, _ body: String) throws {
    try Command.require(
      ["sh", "-c", "cat >\(folder)/\(name) && chmod 755 \(folder)/\(name)"], input: Array("#!/bin/sh\n\(body)\n".utf8))
  }

  /// Writes the main file, given its members.
  package func main(_ members: String) throws {
    try "{\"log\": \"\(folder)/log\", \(members)}".write(toFile: configuration, atomically: true, encoding: .utf8)
  }

  /// Writes the bundle's config.json.
  package func bundle(_ text: String) throws {
    try text.write(toFile: specification, atomically: false, encoding: .utf8)
  }

  package func text(_ name: String) -> String? { try? String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8) }

  /// A config.json with these annotations.
  package static func config(_ annotations: String = "", network: String = "{\"type\": \"network\"}", more: String = "")
    -> String
  {
    """
    {
      "ociVersion": "1.0.2", "numbers": [1.50e+01, 18446744073709551615], \(more)
      "annotations": {\(annotations)},
      "linux": {"namespaces": [{"type": "pid"}, \(network)]}
    }

    """
  }

  /// Starts the shim with the bench's main file.
  package func run(_ words: String..., environment: [String: String]? = nil, at place: String? = nil) throws
    -> Command.Result
  {
    var start = [shim, "--wirehook-config", configuration] + words
    if let place { start = ["sh", "-c", "cd \(place) && exec \"$@\"", "sh"] + start }
    var command = Command(start)
    command.environment = environment ?? ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "MARK": "marked"]
    return try command.run()
  }
}
