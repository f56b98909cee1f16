internal import WireCore

/// A runtime's command line as dockerd, containerd, conmon or a person gives it: `runc --root DIR create -b BUNDLE ID`.
/// No two runtimes read it with the same library (runc and runsc with Go's `flag`, crun with argp, youki with clap), so
/// all their spellings of an option are understood: `--log F`, `--log=F`, `-log F`, `-b F`, `-bF`.
package struct RuntimeArguments: Sendable, Equatable {
  /// The first word that is neither an option nor an option's value.
  package var command: String?
  /// The value of `--bundle`, as it is written.
  package var bundle: String?
  /// What is read in place of the bundle's config.json: crun's `--config FILE` behind its command.
  package var specification: String?
  /// The value of `--log`.
  package var log: String?
  package var logFormat: String?
  /// Our own main file: `--wirehook-config FILE` or `--config FILE` before the command.
  package var configuration: String?
  /// Whether it is asked for help or its version, and makes nothing whatever else the words say.
  package var onlyInforms = false
  /// Which words the runtime gets, counted in argv: all but our own options.
  package var passed: [Int] = []

  /// Whether the command makes a container out of a bundle.
  package var makesContainer: Bool {
    !onlyInforms && (command == "create" || command == "run" || command == "restore")
  }

  /// The file that holds the container's specification; relative to the working directory where the words are.
  package var specificationPath: String {
    let name = "config.json"
    if let specification, specification != name { return specification }
    return (bundle.map { $0.isEmpty ? "" : $0 + "/" } ?? "") + name
  }

  /// Understands any argv; what it does not know it leaves to the runtime, which has the better error.
  package static func parse(_ argv: [String]) -> RuntimeArguments {
    var result = RuntimeArguments()
    result.passed.reserveCapacity(argv.count)
    if !argv.isEmpty { result.passed.append(0) }
    var words = Words(argv, from: 1)
    result.readGlobalOptions(&words)
    // Other commands have nothing that is of interest.
    if result.makesContainer { result.readCommandOptions(&words) } else { result.pass(words.rest) }
    return result
  }

  /// Up to and with the command.
  private mutating func readGlobalOptions(_ words: inout Words) {
    while let word = words.next() {
      let start = words.position - 1
      guard let option = Option(word) else {
        // Go's library ends the options at "--": what follows it is the command.
        command = word == "--" ? words.next() : word
        pass(start..<words.position)
        return
      }
      let value = option.value ?? (takesValue(option, before: words.peek) ? words.next() : nil)
      switch option.name {
      case "config", "wirehook-config":
        guard let value else { break }
        configuration = value
        continue
      case "log", "l": log = value ?? log
      case "log-format": logFormat = value ?? logFormat
      case "help", "h", "?", "usage", "version", "v", "V": onlyInforms = true
      default: break
      }
      pass(start..<words.position)
    }
  }

  /// Behind the command: options may stand before and behind the container's id.
  private mutating func readCommandOptions(_ words: inout Words) {
    let start = words.position
    while let word = words.next(), word != "--" {
      guard let option = Option(word) else { continue }
      switch option.name {
      case "bundle", "b": bundle = option.value ?? words.next() ?? bundle
      case "config", "f": specification = option.value ?? words.next() ?? specification
      case "help", "h", "?", "usage": onlyInforms = true
      case let name where Self.commandOptionsWithValue.contains(name):
        if option.value == nil { _ = words.next() }
      case let name where Self.isAbbreviation(name, of: "bundle"): bundle = option.value ?? words.next() ?? bundle
      // `-bDIR`, as argp and clap allow.
      case let name where !option.isLong && name.utf8.first == UInt8(ascii: "b"): bundle = String(word.dropFirst(2))
      default: break
      }
    }
    words.position = words.count
    pass(start..<words.count)
  }

  private mutating func pass(_ range: Range<Int>) { for index in range { passed.append(index) } }

  private func takesValue(_ option: Option, before next: String?) -> Bool {
    if Self.globalOptionsWithValue.contains(option.name) { return true }
    if Self.globalSwitches.contains(option.name) { return false }
    // An option of a runtime that we never heard of: a command or an option behind it is not its value.
    guard let next, Option(next) == nil else { return false }
    return !Self.commands.contains(next)
  }
}

extension RuntimeArguments {
  /// Of runc 1.0 to 1.3, crun 1.8 to 1.20, youki 0.5 and runsc, with ours.
  private static let globalOptionsWithValue: Set<String> = [
    "config", "wirehook-config", "log", "l", "log-format", "log-level", "root", "r", "criu", "rootless",
    "cgroup-manager",
  ]
  private static let globalSwitches: Set<String> = [
    "debug", "systemd-cgroup", "s", "no-pivot", "no-new-keyring", "help", "h", "?", "usage", "version", "v", "V",
  ]
  private static let commandOptionsWithValue: Set<String> = [
    "console-socket", "pid-file", "p", "pidfd-socket", "preserve-fds", "image-path", "work-path", "parent-path",
    "manage-cgroups-mode", "empty-ns", "lsm-profile", "lsm-mount-context",
  ]
  private static let commands: Set<String> = [
    "checkpoint", "create", "delete", "events", "exec", "features", "help", "info", "init", "kill", "list", "mounts",
    "pause", "ps", "restore", "resume", "run", "spec", "start", "state", "update",
  ]

  /// argp takes a long option by any beginning of it that no other has.
  private static func isAbbreviation(_ name: String, of option: String) -> Bool {
    name.utf8.count > 1 && name.utf8.count < option.utf8.count && option.utf8.starts(with: name.utf8)
  }

  /// One word that begins with a dash.
  private struct Option {
    /// Without dashes, up to a "=".
    let name: String
    /// What follows the "=".
    let value: String?
    /// Whether it begins with two dashes.
    let isLong: Bool

    /// Nil for a word that is no option; "-" and "--" are none either.
    init?(_ word: String) {
      let utf8 = word.utf8
      guard utf8.first == UInt8(ascii: "-") else { return nil }
      var rest = Substring(word).utf8.dropFirst()
      isLong = rest.first == UInt8(ascii: "-")
      if isLong { rest = rest.dropFirst() }
      guard !rest.isEmpty else { return nil }
      if let equals = rest.firstIndex(of: UInt8(ascii: "=")) {
        name = String(rest[..<equals]) ?? ""
        value = String(rest[rest.index(after: equals)...]) ?? ""
      } else {
        name = String(rest) ?? ""
        value = nil
      }
    }
  }

  /// argv, read from the left.
  private struct Words {
    let argv: [String]
    var position: Int

    init(_ argv: [String], from position: Int) {
      self.argv = argv
      self.position = min(position, argv.count)
    }

    var count: Int { argv.count }
    var peek: String? { position < argv.count ? argv[position] : nil }
    var rest: Range<Int> { position..<argv.count }

    mutating func next() -> String? {
      guard position < argv.count else { return nil }
      position += 1
      return argv[position - 1]
    }
  }
}
