import Foundation
import Testing

/// What each target may import: a new line here is a decision.
private let allowed: [String: Set<String>] = [
  "WireCore": [],
  "WireJSON": ["CJSONC", "Glibc", "WireCore"],
  "WireConfig": ["WireCore", "WireJSON"],
  "WireOCI": ["WireCore", "WireJSON"],
  "WirePlan": ["WireConfig", "WireCore", "WireJSON", "WireOCI"],
  "WireView": ["WireCore", "WireJSON", "WirePlan"],
  "WireLinux": ["CLinux", "Glibc", "WireCore"],
  "WireNetlink": ["CLinux", "CMnl", "Glibc", "WireCore", "WireLinux"],
  "WireNFTables": ["CLinux", "CMnl", "CNftnl", "Glibc", "WireCore", "WireLinux"],
  "WireOVSDB": ["CLinux", "Glibc", "WireCore", "WireJSON", "WireLinux"],
  "WireState": ["CSQLite", "Glibc", "WireCore", "WireLinux"],
  "WireEngine": [
    "CLinux", "Glibc", "WireConfig", "WireCore", "WireJSON", "WireLinux", "WireNFTables", "WireNetlink", "WireOCI",
    "WireOVSDB", "WirePlan", "WireState",
  ],
  "WireInspect": [
    "Glibc", "WireConfig", "WireCore", "WireEngine", "WireLinux", "WireNFTables", "WireNetlink", "WireOVSDB",
    "WirePlan",
    "WireView",
  ],
  "wirehook-oci": ["Glibc", "WireCore", "WireEngine"],
  "wirehook-runc": ["Glibc", "WireConfig", "WireCore", "WireJSON", "WireLinux", "WireOCI"],
  "wirehook": [
    "ArgumentParser", "Glibc", "WireConfig", "WireCore", "WireEngine", "WireInspect", "WireJSON", "WireLinux",
    "WireOCI",
    "WirePlan", "WireState", "WireView",
  ],
]

/// The targets that a container's start runs through: everything but the command line for people.
private let hot = allowed.keys.filter { $0 != "wirehook" }.sorted()

/// What has no place in them, and why.
private let forbidden: [(pattern: String, why: String)] = [
  (#"\basync\b|\bawait\b|\bTask\s*[{.(]|\bactor\s"#, "an async main costs 0.75 ms and starts threads"),
  (
    #"\btry!|\bas!|\bfatalError\s*\(|\bpreconditionFailure\s*\(|\bprecondition\s*\("#,
    "a trap is a half-wired container"
  ),
  (#"\bprint\s*\("#, "standard output belongs to the runtime"),
  (#"\bpthread_create\b|\bThread\b|\bDispatchQueue\b"#, "setns(2) changes one thread"),
  (#"\bRegex\b|\.wholeMatch\b|\.firstMatch\b"#, "compiled in each start"),
]

@Suite struct CodeTests {
  @Test(arguments: allowed.keys.sorted())
  func aTargetImportsOnlyWhatItMay(_ target: String) throws {
    for file in try Repository.sources(of: target) {
      let foreign = Set(SwiftSource(try Repository.text(file)).imports).subtracting(allowed[target] ?? [])
      #expect(foreign.isEmpty, "\(file) imports \(foreign.sorted()); if that is meant, say so in \(#fileID)")
    }
  }

  @Test func everySwiftTargetIsInTheList() throws {
    let targets = try Set(Repository.files(in: "Sources", suffix: ".swift").map { $0.split(separator: "/")[1] })
    #expect(targets.map(String.init).sorted() == allowed.keys.sorted())
  }

  @Test(arguments: hot)
  func aHotTargetNeitherTrapsNorWaitsNorPrints(_ target: String) throws {
    for file in try Repository.sources(of: target) {
      let lines = SwiftSource(try Repository.text(file)).code.split(separator: "\n", omittingEmptySubsequences: false)
      for (pattern, why) in forbidden {
        let regex = try Regex(pattern)
        for (index, line) in lines.enumerated() where line.firstMatch(of: regex) != nil {
          Issue.record("\(file):\(index + 1): \(line.trimmingCharacters(in: .whitespaces)) (\(why))")
        }
      }
    }
  }

  @Test func aFileIsOneIdea() throws {
    for file in try Repository.files(in: "Sources") where !file.hasSuffix(".md") {
      let lines = try Repository.text(file).split(separator: "\n", omittingEmptySubsequences: false).count - 1
      #expect(lines <= 400, "\(file) has \(lines) lines: look for its second idea")
    }
  }

  @Test func theRepositorySpeaksOfTheProjectAlone() throws {
    // Put together here, so that this file does not name what it looks for.
    let words = [#"(^|[\s"'`(=])/wo"# + #"rk(/|\b)"#, "/tmp/" + "wt/", #"\bTO"# + #"DO\b"#, #"\bFIX"# + #"ME\b"#]
    for file in try Repository.writtenFiles() {
      guard let text = try? Repository.text(file) else { continue }
      for word in words {
        let regex = try Regex(word).anchorsMatchLineEndings()
        for match in text.matches(of: regex) {
          let line = text[..<match.range.lowerBound].filter(\.isNewline).count + 1
          Issue.record("\(file):\(line) says \(text[match.range])")
        }
      }
    }
  }
}

@Suite struct SwiftSourceTests {
  @Test(arguments: [
    ("let a = 1 // try! this", "let a = 1 "),
    ("a /* try! /* nested */ still */ b", "a  b"),
    (#"f("as! \"x\"") + g"#, #"f("") + g"#),
    ("f(#\"a\"try!\"#) + g", "f(\"\") + g"),
    ("x = \"\"\"\n  print(\"a\")\n  \"\"\"\ny", "x = \"\"\n\n\ny"),
  ])
  func commentsAndLiteralsAreBlank(_ text: String, _ code: String) {
    let found = SwiftSource(text).code
    #expect(found == code || found.filter { $0 != "\n" } == code.filter { $0 != "\n" })
    #expect(found.filter(\.isNewline).count == text.filter(\.isNewline).count)
  }

  @Test func importsAreFoundAtEveryAccessLevel() {
    let source = SwiftSource(
      "internal import CMnl\n@preconcurrency import Glibc\nimport struct Foundation.URL\n// import X\n")
    #expect(source.imports == ["CMnl", "Glibc", "Foundation"])
  }
}
