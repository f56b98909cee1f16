import Glibc

enum StandardError {
  static func write(_ text: String) { _ = Glibc.write(STDERR_FILENO, text, text.utf8.count) }
}

enum Environment {
  static func value(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
