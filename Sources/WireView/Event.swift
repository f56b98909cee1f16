package import WireJSON

/// Something that the hook wrote into its log.
package struct Event: Sendable, Equatable {
  package enum Kind: String, Sendable, CaseIterable {
    case attach
    case detach
    /// A start was refused, or something else failed.
    case refused
    /// A container had ended without a poststop, and its network was taken back.
    case collected
    /// A network was set up, or the firewall's table built.
    case network
    case warning
    /// Anything else.
    case note
  }

  /// Seconds since 1970.
  package var time: Int64
  package var kind: Kind
  /// The container's id, where one is concerned.
  package var container: String?
  /// What happened, without the container where that stands for itself.
  package var text: String

  private static let containerField = " WIREHOOK_CONTAINER="

  /// Reads a line of a log file: `2026-11-25T10:42:08Z info wirehook: attached … WIREHOOK_CONTAINER=ID`.
  package init?(line: String) {
    let words = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
    guard words.count == 4, words[2] == "wirehook:", let time = Moment.timestamp(String(words[0])) else { return nil }
    var message = String(words[3])
    var container: String?
    if let start = Self.lastRange(of: Self.containerField, in: message) {
      container = String(message[start.upperBound...])
      message = String(message[..<start.lowerBound])
    }
    self.init(time: time, level: String(words[1]), message: message, container: container)
  }

  /// Reads an entry of `journalctl -o json`.
  package init?(journal entry: JSONValue) {
    guard case .string(let microseconds)? = entry["__REALTIME_TIMESTAMP"], let time = Int64(microseconds),
      let message = Self.text(entry["MESSAGE"])
    else { return nil }
    // The levels of syslog(3).
    let level =
      switch Self.text(entry["PRIORITY"]).flatMap({ Int($0) }) ?? 6 {
      case ...3: "error"
      case 4: "warning"
      default: "info"
      }
    self.init(
      time: time / 1_000_000, level: level, message: message, container: Self.text(entry["WIREHOOK_CONTAINER"]))
  }

  private init(time: Int64, level: String, message: String, container: String?) {
    self.time = time
    self.container = container
    text = message
    switch level {
    case "error": kind = .refused
    case "warning": kind = .warning
    default: kind = Self.kind(of: message)
    }
    // What the column beside it says already.
    for prefix in ["attached container ", "detached container "] where message.hasPrefix(prefix) {
      guard let container, kind == .attach || kind == .detach else { break }
      let rest = message.dropFirst(prefix.count)
      guard rest.hasPrefix(container) else { break }
      text = String(rest.dropFirst(container.count).drop { $0 == ":" || $0 == " " })
    }
  }

  /// The sentences are this program's own: see `log.write` in the engine.
  private static func kind(of message: String) -> Kind {
    if message.hasPrefix("attached container ") { return .attach }
    if message.hasPrefix("detached container ") { return .detach }
    if message.hasPrefix("took back what container ") { return .collected }
    if message.hasPrefix("network ") || message.hasPrefix("built the firewall table") { return .network }
    return .note
  }

  /// A field of the journal: text, or bytes where it holds what is not printable.
  private static func text(_ value: JSONValue?) -> String? {
    switch value {
    case .string(let text): return text
    case .array(let bytes):
      return String(
        decoding: bytes.compactMap { byte -> UInt8? in
          guard case .integer(let number) = byte else { return nil }
          return UInt8(exactly: number)
        }, as: UTF8.self)
    default: return nil
    }
  }

  private static func lastRange(of needle: String, in text: String) -> Range<String.Index>? {
    let (needle, utf8) = (Array(needle.utf8), text.utf8)
    guard utf8.count >= needle.count else { return nil }
    var start = utf8.index(utf8.endIndex, offsetBy: -needle.count)
    while true {
      let end = utf8.index(start, offsetBy: needle.count)
      if utf8[start..<end].elementsEqual(needle) { return start..<end }
      guard start > utf8.startIndex else { return nil }
      start = utf8.index(before: start)
    }
  }
}

extension Event {
  package var json: JSONValue {
    .object([
      .init("time", .string(Moment.text(time))), .init("kind", .string(kind.rawValue)),
      .init("container", container.map { .string($0) } ?? .null), .init("message", .string(text)),
    ])
  }

  /// `2026-11-25T10:42:08Z  attach  web  eth0 10.210.4.2/24 on front`
  package func line(_ style: Style, name: (String) -> String?) -> String {
    let word = kind.rawValue + String(repeating: " ", count: 9 - kind.rawValue.count)
    let painted =
      switch kind {
      case .attach: style.good(word)
      case .refused: style.bad(word)
      case .warning: style.warning(word)
      default: word
      }
    let who = container.map { id in name(id) ?? (id.count == 64 ? String(id.prefix(12)) : id) }
    let parts = [
      style.dim(Moment.text(time)), painted, who.map { style.name(Printable.line($0)) }, Printable.line(text),
    ]
    return parts.compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: "  ")
  }
}
