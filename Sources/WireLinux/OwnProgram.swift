internal import Glibc

/// The running program's own file.
package enum OwnProgram {
  /// Its path, with links resolved; nil where /proc is not mounted.
  package static func path() -> String? {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink("/proc/self/exe", &buffer, buffer.count)
    guard count > 0 else { return nil }
    return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// The path of a program that was installed into the same folder; nil where there is none.
  package static func sibling(_ name: String) -> String? {
    guard let own = path(), let slash = own.lastIndex(of: "/") else { return nil }
    let path = own[...slash] + name
    return access(String(path), X_OK) == 0 ? String(path) : nil
  }
}
