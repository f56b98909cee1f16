import Testing
import WireCore
import WireJSON

private func parse(_ text: String, only paths: [[String]]? = nil) throws(JSONError) -> JSONValue {
  try JSONValue.parse(Array(text.utf8), limits: .state, duplicates: .lastWins, only: paths)
}

@Test func everyKindOfValueIsParsedInOrder() throws {
  let value = try parse("{\"z\":[null,true,-1,1.5,\"é\\n\\ud83d\\ude00\"],\"a\":{}}")
  #expect(
    value
      == .object([
        .init("z", .array([.null, .bool(true), .integer(-1), .number(1.5), .string("é\n😀")])), .init("a", .object([])),
      ]))
}

@Test(
  "A bare value at the top is parsed", arguments: [("null", JSONValue.null), ("7", .integer(7)), ("\"\"", .string(""))])
func aBareValueAtTheTopIsParsed(_ text: String, _ value: JSONValue) throws { #expect(try parse(text) == value) }

@Test(
  "A number that would be clamped is an error",
  arguments: [
    "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616", "100000000000000000000000000000", "1e999", "-1e999",
  ])
func aNumberThatWouldBeClampedIsAnError(_ number: String) {
  #expect(throws: JSONError.self) { try parse("{\"a\":\(number)}") }
}

@Test func theLargestNumbersArePassed() throws {
  #expect(try parse("[9223372036854775806,-9223372036854775807]") == .array([.integer(.max - 1), .integer(.min + 1)]))
}

@Test func aClampedNumberInAnUnwantedPartIsNobodysBusiness() throws {
  let text = "{\"process\":{\"rlimits\":[{\"hard\":18446744073709551615}]},\"hostname\":\"h\"}"
  #expect(try parse(text, only: [["hostname"]]) == .object([.init("hostname", .string("h"))]))
}

@Test func onlyTheWantedPathsBecomeValues() throws {
  let text = """
    {"hostname":"outer","decoy":{"annotations":{"a":"no"},"linux":{"namespaces":"no"}},"list":[{"hostname":"no"}],
     "annotations":{"a":"b"},"linux":{"x":{"namespaces":1},"namespaces":[{"type":"network"}],"resources":[1,2]}}
    """
  let value = try parse(
    text, only: [["annotations"], ["hostname"], ["linux", "namespaces"], ["absent"], ["linux", "no"]])
  #expect(value["annotations"] == .object([.init("a", .string("b"))]))
  #expect(value["hostname"] == .string("outer"))
  #expect(value["linux"] == .object([.init("namespaces", .array([.object([.init("type", .string("network"))])]))]))
  #expect(value["decoy"] == nil)
  #expect(value["absent"] == nil)
}

@Test func aWantedPathIsFoundUnderAnEscapedKeyAndTheLastOfTwoCounts() throws {
  let value = try parse("{\"\\u0068ostname\":\"a\",\"host\\u006eame\":\"b\"}", only: [["hostname"]])
  #expect(value["hostname"] == .string("b"))
}

@Test func aWantedValueMayLieWithinAnother() throws {
  let value = try parse("{\"a\":{\"b\":{\"c\":1},\"d\":2}}", only: [["a"], ["a", "b", "c"]])
  #expect(value["a"]?["b"]?["c"] == .integer(1))
  #expect(value["a"]?["d"] == .integer(2))
}

@Test("A document that is no object has no paths", arguments: ["[]", "1", "null", "", " ", "\"annotations\""])
func aDocumentThatIsNoObjectHasNoPaths(_ text: String) {
  #expect(throws: JSONError.self) { try parse(text, only: [["annotations"]]) }
}

@Test func aKeyWithNULNeverReachesJsonC() {
  #expect(throws: JSONError.self) { try parse("{\"a\\u0000b\":1,\"a\":2}", only: [["a"]]) }
}

@Test func whatIsWrittenIsReadBackTheSame() throws {
  let value = JSONValue.object([
    .init(
      "k\"\\\n\u{1}\u{7f}é😀",
      .array([.null, .bool(false), .integer(-5), .number(0.1), .number(1e300), .string("\t\r/")])),
    .init("empty", .array([])), .init("o", .object([.init("x", .object([]))])),
  ])
  for text in [JSONWriter.compact(value), JSONWriter.pretty(value)] { #expect(try parse(text) == value) }
}

@Test func theWritersFormsAreFixed() {
  let value = JSONValue.object([.init("a", .array([.integer(1), .string("\u{1}\u{7f}\"")])), .init("b", .object([]))])
  #expect(JSONWriter.compact(value) == "{\"a\":[1,\"\\u0001\\u007f\\\"\"],\"b\":{}}")
  #expect(JSONWriter.pretty(value) == "{\n  \"a\": [\n    1,\n    \"\\u0001\\u007f\\\"\"\n  ],\n  \"b\": {}\n}\n")
}

@Test func aReaderNamesDocumentPathValueAndExpectation() throws {
  let reader = JSONReader(
    try parse("{\"subnets\":[{},{\"gateway\":\"10.0.0\",\"mtu\":70000,\"x\":[]}]}"), document: "networks.d/front.json")
  let subnet = try reader.required("subnets").elements()[1]
  func text(_ body: () throws -> Void) -> String {
    do { try body() } catch { return "\(error)" }
    return ""
  }
  #expect(
    text { _ = try subnet.required("gateway").parsed("an address", { IPAddress($0) }) }
      == "networks.d/front.json: subnets[1].gateway \"10.0.0\" failed: expected an address")
  #expect(
    text { _ = try subnet.required("mtu").integer(in: 68...65535) }
      == "networks.d/front.json: subnets[1].mtu 70000 failed: expected a whole number from 68 to 65535")
  #expect(
    text { _ = try subnet.required("x").bool() }
      == "networks.d/front.json: subnets[1].x (an array) failed: expected true or false")
  #expect(
    text { _ = try subnet.required("range") } == "networks.d/front.json: subnets[1].range failed: the key is missing")
  #expect(
    text { try subnet.allowOnly(["gateways", "mtu", "x"]) }
      == "networks.d/front.json: subnets[1].gateway failed: unknown key; did you mean \"gateways\"?")
  #expect(
    text { try subnet.allowOnly(["range"]) }
      == "networks.d/front.json: subnets[1].gateway failed: unknown key; known keys are range")
}
