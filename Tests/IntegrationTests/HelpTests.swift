import Foundation
import Support
import Testing

/// What the program says of itself: examples that parse, words that were nearly right, completions of three shells.
@Suite struct HelpTests {
  /// A subcommand as the library describes it for tools.
  private struct Subcommand {
    var words: [String]
    var discussion: String
  }

  private static func subcommands() throws -> [Subcommand] {
    let dump = try JSON(parsing: Command.require([Built.path("wirehook"), "--experimental-dump-help"]))
    func walk(_ command: JSON, _ words: [String]) -> [Subcommand] {
      let children = command["subcommands"].array.filter { $0["commandName"].string != "help" }
      let own = children.isEmpty ? [Subcommand(words: words, discussion: command["discussion"].string ?? "")] : []
      return own + children.flatMap { walk($0, words + [$0["commandName"].string ?? ""]) }
    }
    return walk(dump["command"], ["wirehook"])
  }

  /// The lines below `Examples:`, without what a pipe or a list of commands adds.
  private static func examples(_ discussion: String) -> [String] {
    let lines = discussion.split(separator: "\n").drop { !$0.hasPrefix("Example") }.dropFirst()
    return lines.prefix { $0.hasPrefix("  ") }.map { line in
      let command = line.split(separator: "|")[0].split(separator: "&")[0].split(separator: ">")[0]
      return command.trimmingCharacters(in: .whitespaces)
    }
  }

  @Test func everySubcommandHasExamplesThatParse() throws {
    let all = try Self.subcommands()
    #expect(all.count >= 14)
    for subcommand in all {
      let examples = Self.examples(subcommand.discussion)
      #expect(!examples.isEmpty, "\(subcommand.words) has no example")
      for example in examples {
        #expect(example.hasPrefix("wirehook "), "\(example)")
        // Nothing is done: the one thing that is wrong is at the end.
        let program = try Built.path("wirehook")
        let line = "\(program)\(example.dropFirst("wirehook".count)) --no-such-option"
        let result = try Command(["sh", "-c", line]).run()
        let first = result.stderr.split(separator: "\n").first
        #expect(result.exitCode == 2 && first == "Error: Unknown option '--no-such-option'", "\(example): \(result)")
      }
    }
  }

  @Test(arguments: [
    (["lss"], "ls"), (["grpah"], "graph"), (["stas"], "stats"), (["config", "chekc"], "check"),
  ])
  func aMisspeltSubcommandIsOffered(_ words: [String], _ meant: String) throws {
    let result = try Command([Built.path("wirehook")] + words).run()
    #expect(result.exitCode == 2 && result.stderr.contains("Did you mean '\(meant)'?"), "\(result)")
  }

  @Test func aWordThatIsNothingLikeItIsNotGuessedAt() throws {
    let result = try Command([Built.path("wirehook"), "xyzzy"]).run()
    #expect(result.exitCode == 2 && !result.stderr.contains("Did you mean"), "\(result)")
  }

  private func check(_ shell: String) throws {
    let script = try Command.require([Built.path("wirehook"), "--generate-completion-script", shell])
    #expect(script.contains("wirehook"))
    try Command.require([shell, "-n"], input: Array(script.utf8))
  }

  @Test func bashReadsItsCompletionScript() throws { try check("bash") }

  @Test(.enabled(if: Tool.path("zsh") != nil, "needs zsh")) func zshReadsItsCompletionScript() throws {
    try check("zsh")
  }

  @Test(.enabled(if: Tool.path("fish") != nil, "needs fish")) func fishReadsItsCompletionScript() throws {
    try check("fish")
  }
}

@Suite(needsRoot) struct CompletionTests {
  /// What bash offers for a line whose last word is being typed.
  private func offered(_ host: Sandbox, _ words: String...) throws -> [String] {
    let program = try Built.path("wirehook")
    let line = words.joined(separator: " ")
    let list = words.map { "\"\($0)\"" }.joined(separator: " ")
    let script = """
      source <(\(program) --generate-completion-script bash)
      wirehook() { \(program) "$@"; }
      COMP_WORDS=(\(list)); COMP_CWORD=\(words.count - 1); COMP_LINE="\(line)"; COMP_POINT=${#COMP_LINE}; COMP_TYPE=9
      _wirehook wirehook "\(words.last ?? "")" "\(words.dropLast().last ?? "")"
      printf '%s\\n' "${COMPREPLY[@]}"
      """
    let shown = try host.run(["env", "WIREHOOK_CONFIG=\(host.configFile)", "bash", "-c", script])
    return shown.stdout.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
  }

  @Test func namesOfContainersAndNetworksAreOffered() throws {
    try Sandbox.with { host in
      _ = try host.started("web")
      _ = try host.started("worker")
      _ = try host.started("db")
      #expect(try offered(host, "wirehook", "inspect", "w").sorted() == ["web", "worker"])
      #expect(try offered(host, "wirehook", "stats", "d") == ["db"])
      #expect(try offered(host, "wirehook", "graph", "--network", "") == ["front"])
      #expect(try offered(host, "wirehook", "gra") == ["graph"])
    }
  }

  /// A name may be anything that an engine lets through: a shell is offered none that it would read as more than a word.
  @Test func aNameThatAShellWouldActOnIsNotOffered() throws {
    try Sandbox.with { host in
      _ = try host.started("$(touch pwned)")
      #expect(try offered(host, "wirehook", "inspect", "") == [])
    }
  }
}
