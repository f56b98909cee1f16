import Testing

@testable import WireOVSDB

@Suite struct DocumentScannerTests {
  private static let documents = [
    #"{"id":1,"result":[{"rows":[]},{}],"error":null}"#, #"{}"#, #"{"a":"}\"]{["}"#, #"{"\\":"\\","u":"\u005c\""}"#,
    #"{"ö":"→"}"#,
  ]

  /// The documents that come out when `text` comes in pieces of `size` bytes.
  private func documents(in text: String, pieces size: Int) throws -> [String] {
    var scanner = DocumentScanner()
    var buffer: [UInt8] = []
    var found: [String] = []
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      buffer += rest.prefix(size)
      rest = rest.dropFirst(size)
      while let end = try scanner.end(in: buffer) {
        found.append(String(decoding: buffer[..<end], as: UTF8.self))
        buffer.removeFirst(end)
      }
    }
    return found
  }

  @Test(arguments: 1...60) func documentsAreFoundWhateverThePieces(size: Int) throws {
    #expect(try documents(in: Self.documents.joined(), pieces: size) == Self.documents)
  }

  @Test func whiteSpaceBetweenDocumentsIsAllowed() throws {
    #expect(try documents(in: " {}\n\t{} \n", pieces: 1).map { $0.filter { !$0.isWhitespace } } == ["{}", "{}"])
  }

  @Test(arguments: ["HTTP/1.1 400 Bad Request", "[1]", "\u{0}\u{1}", "\"x\"", "}", "]", "null", "{}x"])
  func whatIsNoObjectIsRefused(text: String) {
    #expect(throws: OVSDBError.Kind.self) { try documents(in: text, pieces: 1) }
  }

  @Test func endlessNestingIsRefusedAtOnce() {
    #expect(throws: OVSDBError.Kind.garbage("more than 64 levels of nesting")) {
      try documents(in: "{\"a\":" + String(repeating: "[", count: 64), pieces: 1 << 16)
    }
  }

  @Test func aDocumentMayBeAsLargeAsTheLimitAndNoLarger() throws {
    let frame = #"{"a":""}"#
    for extra in [0, 1] {
      var scanner = DocumentScanner()
      let filling = String(repeating: "x", count: DocumentScanner.sizeLimit - frame.utf8.count + extra)
      let bytes = Array(#"{"a":"\#(filling)"}"#.utf8)
      if extra == 0 {
        #expect(try scanner.end(in: bytes) == bytes.count)
      } else {
        #expect(throws: OVSDBError.Kind.tooLarge(limit: DocumentScanner.sizeLimit)) {
          _ = try scanner.end(in: Array(bytes.dropLast()))
        }
      }
    }
  }

  /// Looking at everything again with each piece would take minutes.
  @Test func eachByteIsLookedAtOnce() throws {
    var scanner = DocumentScanner()
    var buffer = Array(#"{"a":""#.utf8)
    buffer.reserveCapacity(1 << 20)
    let start = ContinuousClock.now
    for _ in 0..<300_000 {
      buffer.append(UInt8(ascii: "x"))
      _ = try scanner.end(in: buffer)
    }
    #expect(start.duration(to: .now) < .seconds(5))
  }
}
