internal import CMnl
internal import WireCore

/// One netlink message under construction. After the first attribute that does not fit it takes no more, and `fits` is
/// false.
struct MessageBuilder {
  private let message: UnsafeMutablePointer<nlmsghdr>
  private let limit: Int
  private(set) var fits = true

  init?(in room: UnsafeMutableRawBufferPointer, type: Int, flags: Int32) {
    guard let start = room.baseAddress, room.count >= MemoryLayout<nlmsghdr>.size,
      let header = mnl_nlmsg_put_header(start)
    else { return nil }
    message = header
    limit = min(room.count, Batch.messageLimit)
    message.pointee.nlmsg_type = UInt16(truncatingIfNeeded: type)
    message.pointee.nlmsg_flags = UInt16(truncatingIfNeeded: NLM_F_REQUEST | flags)
  }

  /// With the padding that makes the next message start on a multiple of 4.
  var length: Int { Int(message.pointee.nlmsg_len + 3) & ~3 }

  /// Puts a fixed header: that of the message's family, or one that a nest begins with.
  mutating func put<Header: BitwiseCopyable>(header: Header) {
    let size = MemoryLayout<Header>.size
    guard fits, length + size + 3 <= limit, let place = mnl_nlmsg_put_extra_header(message, size) else {
      fits = false
      return
    }
    withUnsafeBytes(of: header) { place.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(place), byteCount: size) }
  }

  mutating func put(_ type: Int, _ value: UInt8) {
    fits = fits && mnl_attr_put_u8_check(message, limit, UInt16(truncatingIfNeeded: type), value)
  }

  mutating func put(_ type: Int, _ value: UInt16) {
    fits = fits && mnl_attr_put_u16_check(message, limit, UInt16(truncatingIfNeeded: type), value)
  }

  mutating func put(_ type: Int, _ value: UInt32) {
    fits = fits && mnl_attr_put_u32_check(message, limit, UInt16(truncatingIfNeeded: type), value)
  }

  mutating func put(_ type: Int, _ value: UInt64) {
    fits = fits && mnl_attr_put_u64_check(message, limit, UInt16(truncatingIfNeeded: type), value)
  }

  /// A text with its terminating NUL, as names of links and kinds are sent.
  mutating func put(_ type: Int, _ text: String) {
    fits = fits && mnl_attr_put_strz_check(message, limit, UInt16(truncatingIfNeeded: type), text)
  }

  /// An address in network order.
  mutating func put(_ type: Int, _ address: IPAddress) {
    if address.family == .ipv4 {
      put(type, UInt32(truncatingIfNeeded: address.value).bigEndian)
    } else {
      put(type, plain: address.value.bigEndian)
    }
  }

  mutating func put(_ type: Int, _ address: MACAddress) {
    guard fits else { return }
    fits = address.bytes.withUnsafeBytes {
      mnl_attr_put_check(message, limit, UInt16(truncatingIfNeeded: type), $0.count, $0.baseAddress)
    }
  }

  /// A struct of the kernel's, as it lies in memory.
  mutating func put<Value: BitwiseCopyable>(_ type: Int, plain value: Value) {
    guard fits else { return }
    fits = withUnsafeBytes(of: value) {
      mnl_attr_put_check(message, limit, UInt16(truncatingIfNeeded: type), $0.count, $0.baseAddress)
    }
  }

  /// An attribute that holds attributes (`NLA_F_NESTED`).
  mutating func nest(_ type: Int, _ body: (inout MessageBuilder) -> Void) {
    guard fits, let start = mnl_attr_nest_start_check(message, limit, UInt16(truncatingIfNeeded: type)) else {
      fits = false
      return
    }
    body(&self)
    mnl_attr_nest_end(message, start)
  }
}
