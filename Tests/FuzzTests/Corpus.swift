import Foundation
import Support

/// The inputs in Tests/corpus/NAME, of which the others are made.
struct Corpus: Sendable {
  let samples: [[UInt8]]

  init(_ name: String) throws {
    let folder = "\(Built.root)/Tests/corpus/\(name)"
    samples = try FileManager.default.contentsOfDirectory(atPath: folder).sorted().map { file in
      try Array(Data(contentsOf: URL(filePath: "\(folder)/\(file)")))
    }
    guard !samples.isEmpty else { throw Failure("\(folder) is empty") }
  }

  /// One of the samples, changed in one to eight places: bits, bytes, pieces of grammar, parts of another sample, and now
  /// and then very many of the same.
  func mutated(_ dice: inout Dice) -> [UInt8] {
    var bytes = samples.randomElement(using: &dice) ?? []
    for _ in 0..<Int.random(in: 1...8, using: &dice) { mutate(&bytes, &dice) }
    return bytes
  }

  private func mutate(_ bytes: inout [UInt8], _ dice: inout Dice) {
    let start = Int.random(in: 0...bytes.count, using: &dice)
    let end = min(bytes.count, start + Int.random(in: 0...12, using: &dice))
    switch Int.random(in: 0..<64, using: &dice) {
    case 0..<12 where start < bytes.count: bytes[start] ^= 1 << UInt8.random(in: 0..<8, using: &dice)
    case 12..<20 where start < bytes.count: bytes[start] = [0, 1, 4, 0x7f, 0x80, 0xff].randomElement(using: &dice) ?? 0
    case 20..<26: bytes.removeSubrange(start..<end)
    case 26..<30: bytes.removeLast(bytes.count - start)
    case 30..<36: bytes.insert(contentsOf: Array(bytes[start..<end]), at: Int.random(in: 0...bytes.count, using: &dice))
    case 36..<42:
      let other = samples.randomElement(using: &dice) ?? []
      let from = Int.random(in: 0...other.count, using: &dice)
      bytes.replaceSubrange(start..<end, with: other[from..<min(other.count, from + 80)])
    case 42:
      let piece = Array((Self.pieces.randomElement(using: &dice) ?? "").utf8)
      let many = (0..<Int.random(in: 1...Self.repetitions, using: &dice)).flatMap { _ in piece }
      bytes.insert(contentsOf: many, at: start)
    default: bytes.replaceSubrange(start..<end, with: Array((Self.pieces.randomElement(using: &dice) ?? "").utf8))
    }
  }

  private static let repetitions = Effort.rounds(4_000, long: 20_000)

  private static let pieces = [
    "[", "]", "{", "}", "\"", "\\", "\\u0000", "\\ud800", ",", ":", "null", "true", "0", "-1", "65536", "4294967296",
    "9223372036854775808", "18446744073709551616", "1e999", "0x10", "NaN", "/", "/33", "/129", "..", "../../x", "-",
    "--",
    "=", "::", "[::1]", "0.0.0.0", "255.255.255.255", "fe80::1%eth0", "ff02::1", "01:00:5e:00:00:01", "é", "e\u{301}",
    "\u{0}", "\n", "\r", "\t", "\u{7f}", " ", "\"hooks\":{}", "\"a\":{\"a\":", "none", "default", "via ", " dev eth0",
    "wirehook.ip=", "80-65535:1-65455", "0123456789abcdef", "\"set\",", "[\"uuid\",7]", "[\"map\",[[]]]",
  ]
}
