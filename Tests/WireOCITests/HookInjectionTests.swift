import Testing
import WireCore
import WireJSON
import WireOCI

private let attach = HookEntry(
  .createRuntime, path: "/usr/bin/wirehook-oci", args: ["wirehook-oci", "createRuntime"], timeout: 30)
private let detach = HookEntry(
  .poststop, path: "/usr/bin/wirehook-oci", args: ["wirehook-oci", "poststop"], env: ["A=b"])
private let attachText = #"{"path":"/usr/bin/wirehook-oci","args":["wirehook-oci","createRuntime"],"timeout":30}"#
private let detachText = #"{"path":"/usr/bin/wirehook-oci","args":["wirehook-oci","poststop"],"env":["A=b"]}"#
private let injection = HookInjection([attach, detach])

private func injected(_ text: String) throws(WireError) -> String {
  String(decoding: try injection.injected(into: Array(text.utf8)), as: UTF8.self)
}

private func removed(_ text: String) throws(WireError) -> String {
  String(decoding: try injection.removed(from: Array(text.utf8)), as: UTF8.self)
}

/// A file before, and after; A and D stand for our two entries.
private let files = [
  (#"{}"#, #"{"hooks":{"createRuntime":[A],"poststop":[D]}}"#),
  (#" { } "#, #" {"hooks":{"createRuntime":[A],"poststop":[D]} } "#),
  ("{\n  \"a\": 1.50\n}\n", "{\"hooks\":{\"createRuntime\":[A],\"poststop\":[D]},\n  \"a\": 1.50\n}\n"),
  (
    #"{"hooks":{"prestart":[{"path":"/x"}]},"a":1}"#,
    #"{"hooks":{"createRuntime":[A],"poststop":[D],"prestart":[{"path":"/x"}]},"a":1}"#
  ),
  (#"{"hooks":{"createRuntime":[{"path":"/x"} ]}}"#, #"{"hooks":{"poststop":[D],"createRuntime":[{"path":"/x"},A ]}}"#),
  (
    #"{"hooks":{"poststop":[ {"path":"/x"}, {"path":"/y"}]}}"#,
    #"{"hooks":{"createRuntime":[A],"poststop":[D, {"path":"/x"}, {"path":"/y"}]}}"#
  ),
  (
    #"{"hooks":{"createRuntime":[1,[[]],{"a":[{}]}]}}"#,
    #"{"hooks":{"poststop":[D],"createRuntime":[1,[[]],{"a":[{}]},A]}}"#
  ),
  (#"{"\u0068ooks":{"createRunt\u0069me":[{}]}}"#, #"{"\u0068ooks":{"poststop":[D],"createRunt\u0069me":[{},A]}}"#),
  (
    #"{"x":{"hooks":{"poststop":[1]}},"y":[{"hooks":null}],"hooks ":0}"#,
    #"{"hooks":{"createRuntime":[A],"poststop":[D]},"x":{"hooks":{"poststop":[1]}},"y":[{"hooks":null}],"hooks ":0}"#
  ),
  (
    #"{"hooks":{"x":{"poststop":[1]},"\"poststop\":[":2}}"#,
    #"{"hooks":{"createRuntime":[A],"poststop":[D],"x":{"poststop":[1]},"\"poststop\":[":2}}"#
  ),
]

/// Files in which something empty is filled: it is gone after removal.
private let emptied = [
  (#"{"a":1,"hooks":null}"#, #"{"a":1,"hooks":{"createRuntime":[A],"poststop":[D]}}"#, #"{"a":1}"#),
  (#"{"hooks":{ },"a":1}"#, #"{"hooks":{"createRuntime":[A],"poststop":[D] },"a":1}"#, #"{"a":1}"#),
  (#"{"hooks":{"poststop":[ ],"createRuntime":null}}"#, #"{"hooks":{"poststop":[D ],"createRuntime":[A]}}"#, #"{}"#),
]

private func filled(_ text: String) -> String {
  text.replacing("[A", with: "[" + attachText).replacing(",A", with: "," + attachText).replacing(
    "[D", with: "[" + detachText)
}

extension String {
  fileprivate func replacing(_ old: String, with new: String) -> String {
    var result = ""
    var rest = self[...]
    while !rest.isEmpty {
      if rest.hasPrefix(old) {
        result += new
        rest = rest.dropFirst(old.count)
      } else {
        result.append(rest.removeFirst())
      }
    }
    return result
  }
}

@Test("Entries are inserted, nothing else changes, and removal is exact", arguments: files)
func entriesAreInsertedNothingElseChangesAndRemovalIsExact(_ before: String, _ after: String) throws {
  let result = try injected(before)
  #expect(result == filled(after))
  #expect(try injected(result) == result)
  #expect(try removed(result) == before)
  #expect(try removed(before) == before)
}

@Test("What was empty is filled", arguments: emptied)
func whatWasEmptyIsFilled(_ before: String, _ after: String, _ last: String) throws {
  let result = try injected(before)
  #expect(result == filled(after))
  #expect(try injected(result) == result)
  #expect(try removed(result) == last)
}

@Test func anEntryWithAnotherTimeoutAndOrderIsOursAllTheSame() throws {
  let text =
    #"{"hooks":{"createRuntime":[{"args":["wirehook-oci","createRuntime"],"path":"\/usr/bin/wirehook-oci"}],"poststop":[D]}}"#
  #expect(try injected(filled(text)) == filled(text))
  #expect(try removed(filled(text)) == "{}")
}

@Test func anEntryWithOtherArgsIsNotOurs() throws {
  let text = #"{"hooks":{"createRuntime":[{"path":"/usr/bin/wirehook-oci","args":["wirehook-oci"]}],"poststop":[D]}}"#
  let result = try injected(filled(text))
  #expect(result.contains("[\"wirehook-oci\"]}," + attachText))
  #expect(
    try removed(filled(text))
      == #"{"hooks":{"createRuntime":[{"path":"/usr/bin/wirehook-oci","args":["wirehook-oci"]}]}}"#)
}

@Test func pathsAreEscaped() throws {
  let odd = HookInjection([HookEntry(.prestart, path: "/a \"b\"\n", args: ["é"])])
  let result = try odd.injected(into: Array("{}".utf8))
  #expect(String(decoding: result, as: UTF8.self) == #"{"hooks":{"prestart":[{"path":"/a \"b\"\n","args":["é"]}]}}"#)
  #expect(try odd.injected(into: result) == result)
}

@Test(
  "Files that are refused",
  arguments: [
    ("[]", "config.json: line 1, column 1 failed: expected an object"),
    ("", "config.json: line 1, column 1 failed: expected a value, found the end"),
    (#"{"hooks":[]}"#, "config.json: hooks failed: expected an object"),
    (#"{"hooks":"null"}"#, "config.json: hooks failed: expected an object"),
    (#"{"hooks":{"createRuntime":{}}}"#, "config.json: hooks.createRuntime failed: expected an array"),
    (#"{"hooks":{},"hooks":{}}"#, "config.json: line 1, column 13 failed: expected \"hooks\" once, found it again"),
    (
      #"{"hooks":{"poststop":[],"\u0070oststop":[]}}"#,
      "config.json: line 1, column 25 failed: expected \"hooks.poststop\" once, found it again"
    ),
    (#"{"hooks":{}"#, "config.json: line 1, column 12 failed: expected \",\" or \"}\", found the end"),
    (#"{"hooks":{"poststop":[1}}"#, "config.json: line 1, column 24 failed: expected \",\" or \"]\", found \"}\""),
    (#"{}{}"#, "config.json: line 1, column 3 failed: expected nothing after the value, found \"{\""),
  ])
func filesThatAreRefused(_ text: String, _ error: String) { #expect(message { _ = try injected(text) } == error) }

@Test func tenMegabytesAreNoTrouble() throws {
  let filler = "\"x\":[" + String(repeating: "{\"path\":\"/usr/bin/true\",\"args\":[1,2,3]},", count: 250_000) + "0]"
  let text = "{\(filler),\"hooks\":{\"poststop\":[{}]},\"y\":1}"
  #expect(text.utf8.count > 10_000_000)
  let clock = ContinuousClock()
  var result = ""
  let time = try clock.measure { result = try injected(text) }
  #expect(result.utf8.count == text.utf8.count + attachText.utf8.count + detachText.utf8.count + 20)
  // Unoptimised code is thirty times slower than what users run.
  #expect(time < .seconds(20))
}

@Test func damagedFilesGiveErrorsOrValidFiles() throws {
  var state: UInt64 = 7
  func random(_ limit: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int(state >> 33) % limit
  }
  let seeds = files.map { Array(filled($0.1).utf8) }
  var passed = 0
  for _ in 0..<5_000 {
    var bytes = seeds[random(seeds.count)]
    for _ in 0...random(3) {
      let index = random(bytes.count)
      switch random(3) {
      case 0: bytes[index] = Array("{}[],:\"\\ hn1".utf8)[random(12)]
      case 1: bytes.remove(at: index)
      default: bytes.insert(bytes[random(bytes.count)], at: index)
      }
    }
    _ = try? Bundle.parse(bytes)
    _ = try? ContainerState.parse(bytes)
    guard let result = try? injection.injected(into: bytes) else { continue }
    passed += 1
    try JSONGuard.check(result, limits: .bundle)
    #expect(try injection.injected(into: result) == result)
    try JSONGuard.check(try injection.removed(from: result), limits: .bundle)
  }
  #expect(passed > 200)
}
