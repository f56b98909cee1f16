import Foundation

/// Programs of this machine that a test asks for a second opinion.
enum Tools {
  /// Whether tests that need the program are to run: it is in PATH, or `WIREHOOK_REQUIRE` says that it must be.
  static func has(_ program: String) -> Bool { isRequired(program) || path(program) != nil }

  /// Whether Python's validator of JSON Schemas is here, or must be.
  static let hasJSONSchema =
    isRequired("jsonschema") || (try? run(["python3", "-c", "import jsonschema"]).code) == 0

  /// `WIREHOOK_REQUIRE=root,runc,jsonschema`, as CI sets it, turns a skip into a failure.
  private static func isRequired(_ part: String) -> Bool {
    (ProcessInfo.processInfo.environment["WIREHOOK_REQUIRE"] ?? "").split(separator: ",").contains { $0 == part }
  }

  private static func path(_ program: String) -> String? {
    (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(program)" }
      .first { (path: String) in FileManager.default.isExecutableFile(atPath: path) }
  }

  /// Runs a program to its end. For short outputs: standard output is read before standard error.
  static func run(_ words: [String], input: Data = Data()) throws -> (code: Int32, output: String, error: String) {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = words
    let (stdin, stdout, stderr) = (Pipe(), Pipe(), Pipe())
    (process.standardInput, process.standardOutput, process.standardError) = (stdin, stdout, stderr)
    try process.run()
    try stdin.fileHandleForWriting.write(contentsOf: input)
    try stdin.fileHandleForWriting.close()
    let output = String(decoding: stdout.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    let error = String(decoding: stderr.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, output, error)
  }
}
