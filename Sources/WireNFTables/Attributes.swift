internal import CMnl
internal import Glibc

/// The netlink attributes in a piece of a message. Never reads past its bytes; a broken attribute ends the walk.
struct Attributes {
  let bytes: UnsafeRawBufferPointer

  /// Hands every attribute to `body`: its type without flags, and its payload.
  func forEach(_ body: (_ type: Int, _ payload: Attributes) -> Void) {
    var rest = bytes[...]
    while rest.count >= 4 {
      let length = Int(rest.loadUnaligned(fromByteOffset: 0, as: UInt16.self))
      let type = Int(rest.loadUnaligned(fromByteOffset: 2, as: UInt16.self) & 0x3fff)  // NLA_TYPE_MASK
      guard length >= 4, length <= rest.count else { return }
      let start = rest.startIndex
      body(type, Attributes(bytes: UnsafeRawBufferPointer(rebasing: rest[start + 4..<start + length])))
      rest = rest.dropFirst((length + 3) & ~3)
    }
  }

  /// The payload of the first attribute of `type`.
  subscript(type: Int) -> Attributes? {
    var found: Attributes?
    forEach { if $0 == type, found == nil { found = $1 } }
    return found
  }

  var array: [UInt8] { Array(bytes) }

  /// A number in network order, as nf_tables has all of its numbers.
  var number: UInt32? {
    bytes.count == 4 ? UInt32(bigEndian: bytes.loadUnaligned(as: UInt32.self)) : nil
  }

  /// A number in the host's order, as netlink's own attributes have theirs.
  var hostNumber: UInt32? { bytes.count == 4 ? bytes.loadUnaligned(as: UInt32.self) : nil }

  /// Text up to its NUL.
  var text: String { String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self) }
}

/// One netlink message that the kernel sent.
struct Reply {
  let type: UInt16
  let flags: UInt16
  let sequence: UInt32
  /// What follows the netlink header.
  let payload: UnsafeRawBufferPointer

  private static let headerSize = 16

  /// Hands every message of a datagram to `body`.
  static func forEach(in datagram: UnsafeRawBufferPointer, _ body: (Reply) -> Void) {
    var rest = datagram[...]
    while rest.count >= headerSize {
      let length = Int(rest.loadUnaligned(fromByteOffset: 0, as: UInt32.self))
      guard length >= headerSize, length <= rest.count else { return }
      let start = rest.startIndex
      body(
        Reply(
          type: rest.loadUnaligned(fromByteOffset: 4, as: UInt16.self),
          flags: rest.loadUnaligned(fromByteOffset: 6, as: UInt16.self),
          sequence: rest.loadUnaligned(fromByteOffset: 8, as: UInt32.self),
          payload: UnsafeRawBufferPointer(rebasing: rest[start + headerSize..<start + length])))
      rest = rest.dropFirst((length + 3) & ~3)
    }
  }

  var isError: Bool { type == UInt16(NLMSG_ERROR) }
  var isDone: Bool { type == UInt16(NLMSG_DONE) }

  /// The error number of an NLMSG_ERROR, or of an NLMSG_DONE that ends a failed dump; 0: done.
  var code: Int32 {
    guard payload.count >= 4 else { return isDone ? 0 : EBADMSG }
    let value = payload.loadUnaligned(as: Int32.self)
    return value == .min ? EBADMSG : abs(value)
  }

  /// The kernel's own sentence about an error.
  var extack: String? {
    guard isError, flags & UInt16(NLM_F_ACK_TLVS) != 0, payload.count >= 20 else { return nil }
    // The message that was refused follows, unless NETLINK_CAP_ACK took effect.
    let echoed = payload.loadUnaligned(fromByteOffset: 4, as: UInt32.self)
    let skipped = flags & UInt16(NLM_F_CAPPED) != 0 ? 20 : 4 + (Int(clamping: echoed) + 3) & ~3
    guard skipped <= payload.count else { return nil }
    return Attributes(bytes: UnsafeRawBufferPointer(rebasing: payload[skipped...]))[Int(NLMSGERR_ATTR_MSG.rawValue)]?
      .text
  }

  /// The attributes behind the nfgenmsg header of a message of nf_tables.
  var attributes: Attributes {
    Attributes(bytes: UnsafeRawBufferPointer(rebasing: payload.dropFirst(4)))
  }
}
