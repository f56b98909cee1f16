internal import Glibc

/// A kernel setting below /proc/sys. One under `net` is that of the namespace of the thread that reads or writes it.
package struct Sysctl: Sendable, Hashable {
  /// Where it stands: `/proc/sys/net/ipv4/ip_forward`.
  package let path: String

  /// The setting by the parts of its path: `Sysctl("net", "ipv6", "conf", name, "accept_ra")`. For parts of our own and
  /// for names of links, which hold no slash.
  package init(_ parts: String...) { self.init(path: parts) }

  package init(path parts: [String]) {
    var path = "/proc/sys"
    for part in parts {
      path += "/"
      path += part
    }
    self.path = path
  }

  /// Reads a key as sysctl(8) does: the first separator decides. In `net.ipv4.conf.eth0/10.forwarding` the slash stands
  /// for a dot, in `net/ipv4/conf/eth0.10/forwarding` nothing needs to. Nil for anything but a `net` setting.
  package init?(key: String) {
    let dotted = key.first { $0 == "." || $0 == "/" } == "."
    let parts = key.split(separator: dotted ? "." : "/", omittingEmptySubsequences: false).map { part in
      dotted ? String(part.map { $0 == "/" ? "." : $0 }) : String(part)
    }
    guard parts.count > 1, parts.first == "net", key.utf8.count < 256 else { return nil }
    for part in parts {
      guard !part.isEmpty, part != ".", part != "..", part.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
        return nil
      }
    }
    self.init(path: parts)
  }

  /// The value without its newline; `ENOENT` where this kernel has no such setting.
  package func read() throws(SystemError) -> String {
    var bytes = try Files.read(path, limit: 64 << 10)
    if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Sets the value, as `sysctl -w`.
  package func write(_ value: String) throws(SystemError) {
    let file = try Descriptor.open(path, O_WRONLY)
    guard retrying({ Glibc.write(file.raw, value, value.utf8.count) }) >= 0 else {
      throw SystemError("write", errno, path: path)
    }
  }
}
