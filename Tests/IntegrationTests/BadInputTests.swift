import Foundation
import Support
import Testing

/// Any bytes on standard input, in config.json, in the configuration, in the state folder: one line, soon, in little memory.
@Suite(needsRoot, .serialized) struct BadInputTests {
  /// A text and what the error line has to contain.
  struct Input: CustomTestStringConvertible, Sendable {
    let name: String
    var naming: [String] = []
    let text: @Sendable () -> String
    var testDescription: String { name }
  }

  static let inputs = [
    Input(name: "empty") { "" },
    Input(name: "white space") { " \n\t" },
    Input(name: "200 MB of spaces") { String(repeating: " ", count: 200_000_000) },
    Input(name: "200 MB in one string") { #"{"id":""# + String(repeating: "x", count: 200_000_000) + "\"}" },
    Input(name: "a million brackets") { String(repeating: "[", count: 1_000_000) },
    Input(name: "a million objects") { String(repeating: #"{"a":"#, count: 1_000_000) },
    Input(name: "a million brackets in an annotation") {
      #"{"id":"a","pid":1,"status":"created","bundle":"/","annotations":"# + String(repeating: "[", count: 1_000_000)
    },
    Input(name: "300,000 objects as annotations", naming: ["container state", "values"]) {
      #"{"id":"a","pid":2,"status":"created","bundle":"/","annotations":["# + Self.many("{}", 300_000) + "]}"
    },
    Input(name: "NUL bytes") { String(repeating: "\0", count: 1000) },
    Input(name: "NUL in the id") { #"{"ociVersion":"1.0","id":"a\u0000b","status":"created","pid":2,"bundle":"/"}"# },
    Input(name: "NUL in a key") { #"{"id\u0000":"a","status":"created","pid":2,"bundle":"/"}"# },
    Input(name: "not JSON") { "wirehook" },
    Input(name: "a number") { "7" },
    Input(name: "null") { "null" },
    Input(name: "an array") { "[]" },
    Input(name: "no members", naming: ["id"]) { "{}" },
    Input(name: "cut short") { #"{"ociVersion":"1.0","id":"a","status":"crea"# },
    Input(name: "two documents") { #"{"id":"a"}{"id":"b"}"# },
    Input(name: "id of a wrong type", naming: ["id"]) {
      #"{"ociVersion":"1.0","id":7,"status":"created","pid":2,"bundle":"/"}"#
    },
    Input(name: "empty id", naming: ["id"]) {
      #"{"ociVersion":"1.0","id":"","status":"created","pid":2,"bundle":"/"}"#
    },
    Input(name: "id that climbs", naming: ["id", "../../wirehook-climbed"]) {
      #"{"ociVersion":"1.0","id":"../../wirehook-climbed","status":"created","pid":2,"bundle":"/"}"#
    },
    Input(name: "id of a megabyte", naming: ["id"]) {
      #"{"ociVersion":"1.0","id":""# + String(repeating: "a", count: 1_000_000)
        + #"","status":"created","pid":2,"bundle":"/"}"#
    },
    Input(name: "status of a wrong type", naming: ["status"]) {
      #"{"ociVersion":"1.0","id":"a","status":{},"pid":2,"bundle":"/"}"#
    },
    Input(name: "pid as text", naming: ["pid"]) {
      #"{"ociVersion":"1.0","id":"a","status":"created","pid":"2","bundle":"/"}"#
    },
    Input(name: "pid beyond 64 bits", naming: ["pid"]) {
      #"{"ociVersion":"1.0","id":"a","status":"created","pid":18446744073709551617,"bundle":"/"}"#
    },
    Input(name: "annotations of a wrong type", naming: ["annotations"]) {
      #"{"ociVersion":"1.0","id":"a","status":"created","pid":2,"bundle":"/","annotations":["wirehook.ports"]}"#
    },
    Input(name: "annotation of a wrong type", naming: ["wirehook.ports"]) {
      #"{"ociVersion":"1.0","id":"a","status":"created","pid":2,"bundle":"/","annotations":{"wirehook.ports":8080}}"#
    },
    Input(name: "bytes that are no UTF-8") { String(decoding: [0x7b, 0x22, 0xff, 0xfe], as: UTF8.self) },
    Input(name: "a lone surrogate") { #"{"ociVersion":"1.0","id":"\ud800","status":"created","pid":2,"bundle":"/"}"# },
  ]

  @Test(arguments: inputs) func badStandardInputIsOneLineSoonAndSmall(input: Input) throws {
    try Sandbox.with { host in
      let before = try host.snapshot()
      // A process that needs more data than this dies by its own allocator, and not with our line.
      let result = try host.hook(.createRuntime, input: input.text(), under: ["prlimit", "--data=67108864", "--"])
      expectOneErrorLine(result, naming: input.naming)
      #expect(result.duration < .seconds(3), "\(result.duration)")
      try expectUnchanged(host, since: before)
      #expect(!FileManager.default.fileExists(atPath: "/tmp/wirehook-climbed"))
    }
  }

  private static func many(_ text: String, _ count: Int) -> String {
    Array(repeating: text, count: count).joined(separator: ",")
  }

  /// A tree of the values would take far more than the text.
  static let bundles = [
    Input(name: "mounts that are empty", naming: ["values"]) {
      #"{"linux":{},"annotations":{"wirehook.ports":"80"},"mounts":["# + many("{}", 1_000_000) + "]}"
    },
    Input(name: "arrays as annotations", naming: ["values"]) {
      #"{"linux":{},"annotations":{"wirehook.ports":["# + many("[[]]", 1_000_000) + "]}}"
    },
    Input(name: "an annotation of 15 MB", naming: ["bytes of values"]) {
      #"{"linux":{},"annotations":{"wirehook.dns":""# + String(repeating: "x", count: 15_000_000) + #""}}"#
    },
  ]

  @Test(arguments: bundles) func aConfigOfTheBundleWithTooMuchInItIsRefusedInLittleMemory(input: Input) throws {
    try Sandbox.with { host in
      let web = try host.container("web")
      try input.text().write(toFile: "\(web.bundle)/config.json", atomically: true, encoding: .utf8)
      let limit = ["prlimit", "--data=67108864", "--"]
      let result = try host.tryAttach(web, under: limit)
      expectOneErrorLine(result, naming: ["config.json"] + input.naming)
      #expect(result.duration < .seconds(1), "\(result.duration)")
      let words = ["--config", host.configFile, "create", "--bundle", web.bundle, "web"]
      let shim = try host.run(limit + [Built.path("wirehook-runc")] + words)
      #expect(shim.exitCode == 1, "\(shim)")
      #expect(shim.stderr.contains("config.json") && shim.stderr.contains(input.naming[0]), "\(shim)")
    }
  }

  /// What is not wanted of it is only looked at.
  @Test func aConfigOfTheBundleMayHaveMuchThatIsNotWanted() throws {
    try Sandbox.with { host in
      let web = try host.container("web")
      let namespaces = #""linux":{"namespaces":[{"type":"network"}]}"#
      for (rest, isWired) in [("," + namespaces, true), ("", false)] {
        try (#"{"x":["# + Self.many("{}", 1_000_000) + "]" + rest + "}")
          .write(toFile: "\(web.bundle)/config.json", atomically: true, encoding: .utf8)
        let result = try host.tryAttach(web, under: ["prlimit", "--data=67108864", "--"])
        #expect(result.exitCode == 0, "\(result)")
        #expect(try web.links() == (isWired ? ["eth0", "lo"] : ["lo"]))
        try host.detach("web")
      }
    }
  }

  @Test func aHugeAnnotationIsRefusedAndNotRepeatedWhole() throws {
    try Sandbox.with { host in
      let web = try host.container("web")
      let result = try host.tryAttach(web, ["wirehook.ports": String(repeating: "8080:80,", count: 100_000)])
      expectOneErrorLine(result, naming: ["wirehook.ports"])
      #expect(result.stderr.utf8.count < 4096)
    }
  }

  @Test func controlCharactersCannotForgeASecondLine() throws {
    try Sandbox.with { host in
      let result = try host.tryAttach(host.container("web"), ["wirehook.ip": "1\nwirehook: all is well\u{1b}[2J"])
      expectOneErrorLine(result, naming: ["wirehook.ip"])
      #expect(!result.stderr.contains("\u{1b}"))
    }
  }

  @Test(arguments: [
    "", "{", "[]", #"{"root":7,"linux":[]}"#, #"{"linux":{"namespaces":{"type":"network"}}}"#,
    #"{"annotations":{"wirehook.ports":"8080:80"},"linux":{"namespaces":[{"type":7}]}}"#,
  ])
  func aBrokenConfigOfTheBundleIsNamed(text: String) throws {
    try Sandbox.with { host in
      let web = try host.container("web")
      try text.write(toFile: "\(web.bundle)/config.json", atomically: true, encoding: .utf8)
      let state = #"{"ociVersion":"1.0","id":"web","status":"created","pid":\#(web.pid),"bundle":"\#(web.bundle)"}"#
      expectOneErrorLine(try host.hook(.createRuntime, input: state), naming: ["config.json"])
      #expect(try web.links() == ["lo"])
    }
  }

  @Test(arguments: [
    ("networks.d/front.json", "", "front.json"),
    ("networks.d/front.json", #"{"name":"front","driver":"bridge","bridge":"b","subnet":[]}"#, "subnets"),
    (
      "networks.d/front.json",
      #"{"name":"front","driver":"bridge","bridge":"b","subnets":[{"subnet":"10.0.0.0/8","gateway":"11.0.0.1"}]}"#,
      "gateway"
    ),
    ("networks.d/front.json", #"{"name":"front","driver":"bridge","bridge":"b","bridge":"c"}"#, "bridge"),
    ("networks.d/front.json", #"{"name":"other","driver":"bridge","bridge":"b"}"#, "name"),
    ("networks.d/front.json", #"{"name":"front","driver":"bridge","bridge":"0123456789abcdef"}"#, "bridge"),
    ("networks.d/front.json", #"{"name":"front","subnets":[{"subnet":"10.0.0.0/8"}],"mtu":99999999999}"#, "mtu"),
    ("wirehook.json", "[]", "wirehook.json"), ("wirehook.json", #"{"state_dri":"/x"}"#, "state_dir"),
    ("wirehook.json", #"{"state_dir":"relative"}"#, "state_dir"),
    ("wirehook.json", #"{"timeout_ms":-1}"#, "timeout_ms"),
  ])
  func aBrokenConfigurationNamesFileAndKey(file: String, text: String, part: String) throws {
    try Sandbox.with { host in
      let before = try host.snapshot()
      try text.write(toFile: "\(host.folder)/\(file)", atomically: true, encoding: .utf8)
      let result = try host.tryAttach(host.container("web"))
      expectOneErrorLine(result, naming: [file, part])
      try host.writeMain()
      try expectUnchanged(host, since: before)
    }
  }

  @Test func aConfigurationFileThatWasNamedMustBeThere() throws {
    try Sandbox.with { host in
      try FileManager.default.removeItem(atPath: host.configFile)
      expectOneErrorLine(try host.tryAttach(host.container("web")), naming: ["wirehook.json"])
    }
  }

  @Test func aForeignFileInTheStateFolderIsAClearError() throws {
    try Sandbox.with { host in
      try host.warmUp()
      let folder = host.stateFolder
      for file in try FileManager.default.contentsOfDirectory(atPath: folder) where !file.contains("lock") {
        try Data("this is no database, whatever its name says".utf8).write(to: URL(filePath: "\(folder)/\(file)"))
      }
      let result = try host.tryAttach(host.container("web"))
      expectOneErrorLine(result, naming: [folder])
      let detached = try host.tryDetach("web")
      if detached.exitCode != 0 { expectOneErrorLine(detached, naming: [folder]) }
    }
  }

  @Test func anUnknownStageIsAUsageError() throws {
    try Sandbox.with { host in
      let result = try host.run([Built.path("wirehook-oci"), "--config", host.configFile, "createContainre"])
      #expect(result.exitCode == 1 || result.exitCode == 2, "\(result)")
      #expect(result.stderr.hasPrefix("wirehook: ") && result.stderr.contains("createContainre"), "\(result)")
    }
  }
}
