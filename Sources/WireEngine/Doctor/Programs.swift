internal import Glibc

/// Programs of this host, as a shell finds them.
enum Programs {
  private static let usual = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]

  /// The path of a program by its name, or an absolute path itself where it can be executed.
  static func find(_ name: String) -> String? {
    guard !name.hasPrefix("/") else { return access(name, X_OK) == 0 ? name : nil }
    let path = getenv("PATH").map { String(cString: $0) } ?? ""
    let folders = path.split(separator: ":").map(String.init) + usual
    return folders.map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
  }
}
