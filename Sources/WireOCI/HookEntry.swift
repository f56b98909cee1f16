internal import WireJSON

/// The hook stages that we have to do with (OCI runtime specification, "POSIX-platform Hooks").
package enum HookStage: String, Sendable, Hashable, CaseIterable {
  case prestart, createRuntime, poststop
}

/// One entry of `hooks` in a bundle's config.json.
package struct HookEntry: Sendable, Hashable {
  package var stage: HookStage
  /// Absolute.
  package var path: String
  /// With the program's own name first.
  package var args: [String]
  /// `NAME=VALUE`; nil: what the runtime gives.
  package var env: [String]?
  /// In seconds; nil: none.
  package var timeout: Int64?

  package init(_ stage: HookStage, path: String, args: [String], env: [String]? = nil, timeout: Int64? = nil) {
    self.stage = stage
    self.path = path
    self.args = args
    self.env = env
    self.timeout = timeout
  }

  /// The entry as it is written into the file.
  var text: String {
    var members: [JSONValue.Member] = [
      .init("path", .string(path)), .init("args", .array(args.map(JSONValue.string))),
    ]
    if let env { members.append(.init("env", .array(env.map(JSONValue.string)))) }
    if let timeout { members.append(.init("timeout", .integer(timeout))) }
    return JSONWriter.compact(.object(members))
  }

  /// Whether the bytes of an entry are this one, by path and args; env and timeout may have changed since.
  func matches(_ bytes: ArraySlice<UInt8>) -> Bool {
    guard bytes.count > path.utf8.count else { return false }
    // Longer or deeper than any entry of ours: somebody else's, so why it does not parse is of no interest.
    let limits = JSONLimits(size: 1 << 20, depth: 16)
    guard let value = try? JSONValue.parse(Array(bytes), limits: limits, duplicates: .lastWins) else { return false }
    return value["path"] == .string(path) && value["args"] == .array(args.map(JSONValue.string))
  }
}
