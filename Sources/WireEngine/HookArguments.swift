package import WireCore

/// The hook's command line: `wirehook-oci [--config FILE] [createRuntime|prestart|poststop]`.
package enum HookArguments: Sendable, Equatable {
  case version
  case help
  case run(Hook.Stage?, config: String?)

  package static let usage = "usage: wirehook-oci [--config FILE] [createRuntime|prestart|poststop]"

  /// Reads argv. A hook entry's `args` begin with the program's own name, but people leave it out: a first word that is
  /// a stage or an option counts as such, any other is the name. The name may also stand twice.
  package init(_ arguments: [String]) throws(WireError) {
    var rest = arguments[...]
    if let first = rest.first, !Self.isKnown(first) { rest = rest.dropFirst() }
    if let again = rest.first, again.split(separator: "/").last == "wirehook-oci" { rest = rest.dropFirst() }
    var stage: Hook.Stage?
    var config: String?
    while let word = rest.popFirst() {
      if word == "--version" { self = .version; return }
      if word == "--help" || word == "-h" { self = .help; return }
      if word == "--config" {
        guard let file = rest.popFirst() else { throw Self.refuse("--config", "the name of a file is missing") }
        config = file
      } else if word.hasPrefix("--config=") {
        config = String(word.dropFirst("--config=".count))
      } else if stage == nil, let found = Hook.Stage(rawValue: word) {
        stage = found
      } else {
        throw Self.refuse(word, "expected --config FILE, createRuntime, prestart or poststop")
      }
    }
    self = .run(stage, config: config)
  }

  private static func isKnown(_ word: String) -> Bool { word.hasPrefix("-") || Hook.Stage(rawValue: word) != nil }

  private static func refuse(_ word: String, _ why: String) -> WireError { WireError("argument \(word.quoted)", why) }
}
