import Testing
import WireCore
import WireJSON

private func errorOf(_ text: String, duplicates: DuplicateKeys = .lastWins) -> JSONError? {
  errorOf(Array(text.utf8), duplicates: duplicates)
}

private func errorOf(_ bytes: [UInt8], duplicates: DuplicateKeys = .lastWins) -> JSONError? {
  do {
    try JSONGuard.check(bytes, limits: .state, duplicates: duplicates)
    return nil
  } catch {
    return error
  }
}

@Test(
  "The guard passes",
  arguments: [
    "null", "0", "-0", "1e5", "-1.25E-3", "\"\"", "[]", "{}", " { } ", "[[],{}]",
    "{\"a\":[1,2,{\"b\":null}],\"c\":true}",
    "\"\\u00e9\\ud83d\\ude00\\/\\\\\\\"\"", "\"é€😀\"", "\r\n\t[false]\n", "\"\u{7f}\"",
  ])
func theGuardPasses(_ text: String) { #expect(errorOf(text) == nil) }

@Test(
  "The guard refuses",
  arguments: [
    ("", "expected a value, found the end"),
    (" ", "expected a value, found the end"),
    ("{", "expected a key in double quotes or \"}\", found the end"),
    ("[1", "expected \",\" or \"]\", found the end"),
    ("[1,]", "expected a value, found \"]\""),
    ("[,1]", "expected a value or \"]\", found \",\""),
    ("{\"a\":1,}", "expected a key in double quotes, found \"}\""),
    ("{\"a\" 1}", "expected \":\" after the key, found \"1\""),
    ("{\"a\":}", "expected a value, found \"}\""),
    ("{a:1}", "expected a key in double quotes or \"}\", found \"a\""),
    ("{'a':1}", "expected a key in double quotes or \"}\", found \"'\""),
    ("[1}", "expected \",\" or \"]\", found \"}\""),
    ("{\"a\":1]", "expected \",\" or \"}\", found \"]\""),
    ("]", "expected a value, found \"]\""),
    ("1 2", "expected nothing after the value, found \"2\""),
    ("{}{}", "expected nothing after the value, found \"{\""),
    ("NaN", "expected a value, found \"N\""),
    ("Infinity", "expected a value, found \"I\""),
    ("nul", "expected a value, found \"n\""),
    ("01", "expected no digit after a leading zero, found \"1\""),
    ("-", "expected a digit, found the end"),
    ("+1", "expected a value, found \"+\""),
    ("1.", "expected a digit, found the end"),
    (".5", "expected a value, found \".\""),
    ("1e", "expected a digit, found the end"),
    ("// c\n1", "expected a value, found \"/\""),
    ("\"a\nb\"", "expected a control character to be escaped, found byte 0x0a"),
    ("\"a", "expected the closing quote of a string, found the end"),
    ("\"\\x\"", "expected one of \"\\/bfnrtu after a backslash, found \"x\""),
    ("\"\\u12g4\"", "expected four hexadecimal digits, found \"g\""),
    ("\"\\u0000\"", "expected no NUL character in a string, found \\u0000"),
    ("{\"a\\u0000b\":1}", "expected no NUL character in a string, found \\u0000"),
    ("\"\\ud800\"", "expected a pair of surrogates, found one alone"),
    ("\"\\udc00\"", "expected a pair of surrogates, found one alone"),
    ("\"\\ud800\\u0041\"", "expected a pair of surrogates, found one alone"),
  ])
func theGuardRefuses(_ text: String, _ why: String) { #expect(errorOf(text)?.why == why) }

@Test(
  "The guard refuses what is not UTF-8",
  arguments: [
    [0xff], [0x80], [0xc0, 0x80], [0xc3], [0xc3, 0x28], [0xe0, 0x80, 0x80], [0xed, 0xa0, 0x80],
    [0xf0, 0x80, 0x80, 0x80],
    [0xf4, 0x90, 0x80, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xe2, 0x82],
  ] as [[UInt8]])
func theGuardRefusesWhatIsNotUTF8(_ bytes: [UInt8]) {
  #expect(errorOf([0x22] + bytes + [0x22])?.why.contains("UTF-8") == true)
}

@Test func anErrorSaysLineAndColumn() {
  let error = errorOf("{\n  \"a\": 1\n  \"b\": 2\n}")
  #expect(error?.line == 3)
  #expect(error?.column == 3)
  #expect(
    error?.wireError(in: "front.json").description
      == "front.json: line 3, column 3 failed: expected \",\" or \"}\", found \"\"\"")
}

@Test func aMillionBracketsAreRefusedAtTheLimit() {
  for bracket in ["[", "{\"a\":"] {
    let error = errorOf(String(repeating: bracket, count: 4_000_000 / bracket.utf8.count))
    #expect(error?.why.hasPrefix("expected at most 64 arrays and objects") == true)
  }
}

@Test func sixtyFourLevelsAreWithinTheLimitOfTheGuardAndOfJsonC() throws {
  for (opening, closing) in [("[", "]"), ("{\"a\":", "}")] {
    let text =
      String(repeating: opening, count: 64) + (opening == "[" ? "" : "1") + String(repeating: closing, count: 64)
    var value = try JSONValue.parse(Array(text.utf8), limits: .state, duplicates: .lastWins)
    var depth = 0
    while true {
      switch value {
      case .array(let elements) where !elements.isEmpty: value = elements[0]
      case .object(let members): value = members[0].value
      default:
        #expect(depth == (opening == "[" ? 63 : 64))
        return
      }
      depth += 1
    }
  }
}

@Test func aDocumentOverTheSizeIsRefusedUnread() {
  #expect(throws: JSONError("5 bytes, expected at most 4")) {
    try JSONGuard.check(Array("[[[[[".utf8), limits: JSONLimits(size: 4, depth: 2))
  }
}

@Test func aKeyTwiceIsRefusedByNameInOurFilesAndTheLastCountsElsewhere() throws {
  let text = "{\"a\":1,\"b\":{\"a\":2},\"\\u0061\":3}"
  #expect(errorOf(text) == nil)
  #expect(errorOf(text, duplicates: .refuse)?.why == "expected each key once, found \"a\" again")
  #expect(try JSONValue.parse(Array(text.utf8), limits: .state, duplicates: .lastWins)["a"] == .integer(3))
}

@Test func aKeyTwiceIsFoundAmongManyInTheInnermostObjectToo() {
  let many = (0..<5000).map { "\"k\($0)\":{\"k\":1}" }.joined(separator: ",")
  #expect(errorOf("{\"a\":{\(many)}}", duplicates: .refuse) == nil)
  let error = errorOf("{\"a\":{\(many),\"k7\":{}},\"k7\":1}", duplicates: .refuse)
  #expect(error?.why == "expected each key once, found \"k7\" again")
}
