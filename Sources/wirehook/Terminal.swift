import ArgumentParser
import Glibc
import WireCore
import WireView

/// What standard output is, and how to write on it.
enum Terminal {
  static var isThere: Bool { isatty(STDOUT_FILENO) == 1 }

  /// Cells in a line: `$COLUMNS`, else what the terminal says (tty_ioctl(4)); nil where nobody counts them.
  static var width: Int? {
    if let text = Environment.value("COLUMNS"), let width = Int(text), width > 0 { return width }
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return Int(size.ws_col)
  }

  /// Whether the locale's characters are UTF-8, by the variables that setlocale(3) looks at.
  static var isUTF8: Bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { Environment.value($0) }.first { !$0.isEmpty } ?? ""
    let charset = locale.lowercased()
    return charset.hasSuffix("utf-8") || charset.hasSuffix("utf8")
  }

  static var ellipsis: String { isUTF8 ? "…" : "..." }

  /// Empties the screen, for what is drawn again and again.
  static func clear() { print("\u{1b}[H\u{1b}[2J", terminator: "") }

  /// What is printed reaches whoever reads; false when nobody does any more.
  static func flush() -> Bool { fflush(nil) == 0 }

  static func wait(seconds: Double) {
    var pause = timespec(tv_sec: Int(seconds), tv_nsec: Int((seconds - seconds.rounded(.down)) * 1e9))
    nanosleep(&pause, nil)
  }
}

/// When to use colours.
enum ColourChoice: String, CaseIterable, ExpressibleByArgument { case auto, always, never }

/// How a listing looks.
struct DisplayOptions: ParsableArguments {
  @Option(
    name: .customLong("color"),
    help: "Colours: auto (on a terminal, unless NO_COLOR is set), always or never.")
  var colour = ColourChoice.auto

  var style: Style {
    switch colour {
    case .always: .coloured
    case .never: .plain
    // https://no-color.org: set and not empty.
    case .auto: Terminal.isThere && (Environment.value("NO_COLOR") ?? "").isEmpty ? .coloured : .plain
    }
  }
}

/// For listings that can be drawn again and again.
struct WatchOptions: ParsableArguments {
  @Flag(name: [.long, .customShort("w")], help: "Show it again and again, until it is interrupted.")
  var watch = false
  @Option(name: .long, help: ArgumentHelp("How often with --watch.", valueName: "seconds"))
  var interval = 2.0

  func validate() throws {
    guard (0.1...86_400).contains(interval) else { throw ValidationError("--interval is from 0.1 to 86400 seconds") }
  }

  /// Calls `body` once, or until nobody reads any more.
  func run(_ body: () throws -> Void) throws {
    while true {
      try body()
      guard watch, Terminal.flush() else { return }
      Terminal.wait(seconds: interval)
    }
  }
}
