import Foundation

/// What a test wants to know of an executable: elf(5), read by hand so that no tool need be there.
struct ELFFile {
  /// The names of the libraries that the loader maps (DT_NEEDED).
  private(set) var libraries: [String] = []
  /// A part of the data is sealed after relocation (PT_GNU_RELRO), ...
  private(set) var hasRELRO = false
  /// ... and everything is bound by then (DF_BIND_NOW or DF_1_NOW).
  private(set) var bindsNow = false
  /// The stack may be executed.
  private(set) var hasExecutableStack = false

  private let bytes: Data
  private var segments: [Segment] = []

  private struct Segment { var type, flags: UInt32, offset, address, size: UInt64 }
  struct Malformed: Error { var why: String }

  init(_ bytes: Data) throws {
    self.bytes = bytes
    guard bytes.starts(with: [0x7f, 0x45, 0x4c, 0x46, 2, 1]) else {
      throw Malformed(why: "no 64-bit little-endian ELF")
    }
    try readSegments()
    try readDynamicSection()
  }

  private mutating func readSegments() throws {
    let start = try number(UInt64.self, at: 32)
    let size = UInt64(try number(UInt16.self, at: 54))
    for index in 0..<UInt64(try number(UInt16.self, at: 56)) {
      let at = start + index * size
      segments.append(
        Segment(
          type: try number(UInt32.self, at: at), flags: try number(UInt32.self, at: at + 4),
          offset: try number(UInt64.self, at: at + 8), address: try number(UInt64.self, at: at + 16),
          size: try number(UInt64.self, at: at + 32)))
    }
    hasRELRO = segments.contains { $0.type == 0x6474_e552 }  // PT_GNU_RELRO
    hasExecutableStack = segments.contains { $0.type == 0x6474_e551 && $0.flags & 1 != 0 }  // PT_GNU_STACK, PF_X
  }

  private mutating func readDynamicSection() throws {
    guard let dynamic = segments.first(where: { $0.type == 2 }) else { return }  // PT_DYNAMIC
    var names: [UInt64] = []
    var strings: UInt64 = 0
    for at in stride(from: dynamic.offset, to: dynamic.offset + dynamic.size, by: 16) {
      let value = try number(UInt64.self, at: at + 8)
      switch try number(UInt64.self, at: at) {
      case 1: names.append(value)  // DT_NEEDED
      case 5: strings = value  // DT_STRTAB
      case 30: bindsNow = bindsNow || value & 8 != 0  // DT_FLAGS, DF_BIND_NOW
      case 0x6fff_fffb: bindsNow = bindsNow || value & 1 != 0  // DT_FLAGS_1, DF_1_NOW
      default: break
      }
    }
    let table = try offset(ofAddress: strings)
    libraries = try names.map { try string(at: table + $0) }
  }

  private func offset(ofAddress address: UInt64) throws -> UInt64 {
    guard
      let segment = segments.first(where: { $0.type == 1 && $0.address <= address && address - $0.address < $0.size })
    else { throw Malformed(why: "no segment holds address \(address)") }
    return segment.offset + (address - segment.address)
  }

  private func string(at offset: UInt64) throws -> String {
    guard let tail = Int(exactly: offset).flatMap({ $0 < bytes.count ? bytes.dropFirst($0) : nil }) else {
      throw Malformed(why: "a name lies outside the file")
    }
    return String(decoding: tail.prefix { $0 != 0 }, as: UTF8.self)
  }

  private func number<Value: FixedWidthInteger>(_: Value.Type, at offset: UInt64) throws -> Value {
    let size = MemoryLayout<Value>.size
    guard let start = Int(exactly: offset), start <= bytes.count - size else { throw Malformed(why: "cut short") }
    return bytes[start..<start + size].reversed().reduce(0) { $0 << 8 | Value($1) }
  }
}
