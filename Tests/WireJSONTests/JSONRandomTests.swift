import Support
import Testing
import WireJSON

private let seedText = Array(
  "{\"a\":[1,-2.5e3,\"x\\u00e9\\n\\ud83d\\ude00é\",null,true,{\"b\":{\"c\":[[],{}]}}],\"linux\":{\"namespaces\":[{\"type\":\"network\"}]}}"
    .utf8)

@Test func whateverTheGuardPassesJsonCParsesToTheSameTwice() throws {
  var random = Dice(seed: 1)
  var passed = 0
  for _ in 0..<20_000 {
    var bytes = seedText
    for _ in 0..<Int.random(in: 1...3, using: &random) {
      let index = Int.random(in: bytes.indices, using: &random)
      switch Int.random(in: 0..<4, using: &random) {
      case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
      case 1: bytes.remove(at: index)
      case 2: bytes.insert("{}[],:\"\\0e".utf8.randomElement(using: &random) ?? 0, at: index)
      default: bytes.swapAt(index, Int.random(in: bytes.indices, using: &random))
      }
    }
    guard (try? JSONGuard.check(bytes, limits: .state)) != nil else { continue }
    passed += 1
    do {
      let value = try JSONValue.parse(bytes, limits: .state, duplicates: .lastWins)
      let again = try JSONValue.parse(Array(JSONWriter.compact(value).utf8), limits: .state, duplicates: .lastWins)
      #expect(value == again)
    } catch {
      // json-c may refuse only what does not fit its numbers.
      #expect(error.why.hasPrefix("expected a"), "\(String(decoding: bytes, as: UTF8.self)): \(error.why)")
    }
  }
  #expect(passed > 1000)
}

@Test func randomBytesGiveErrorsAndNothingElse() {
  var random = Dice(seed: 2)
  let alphabet = Array("{}[]\",:\\u0123456789abcdefDE+-.truefalsn \n".utf8) + [0, 0x80, 0xc3, 0xe2, 0xf0, 0xff]
  for _ in 0..<20_000 {
    let count = Int.random(in: 0...40, using: &random)
    let bytes = (0..<count).map { _ in alphabet.randomElement(using: &random) ?? 0 }
    _ = try? JSONGuard.check(bytes, limits: .state, duplicates: .refuse)
    _ = try? JSONValue.parse(bytes, limits: .state, duplicates: .lastWins, only: [["a"], ["a", "b"]])
  }
}

@Test func everyPrefixOfADocumentIsRefused() {
  for end in seedText.indices {
    #expect(throws: JSONError.self) { try JSONGuard.check(Array(seedText[..<end]), limits: .state) }
  }
}
