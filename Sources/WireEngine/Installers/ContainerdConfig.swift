import WireCore

/// containerd's config.toml: a runtime handler `wirehook` for CRI, between two comments.
struct ContainerdConfig {
  /// The file's path, for errors.
  let file: String
  let shim: String

  private static let begin = "# wirehook: begin (wirehook uninstall containerd takes it out)"
  private static let end = "# wirehook: end"
  /// Behind a default that we changed, with what stood there.
  private static let mark = " # wirehook: was "
  private static let added = " # wirehook: added"
  private static let defaultLine = "default_runtime_name = \"wirehook\""
  private static let plugin2 = "io.containerd.grpc.v1.cri"

  /// The text with the handler; a default that is wirehook's stays so.
  func installed(in text: String?, asDefault: Bool) throws(WireError) -> String {
    var toml = try TOMLLines(try removed(from: text ?? ""), file: file)
    let asDefault = asDefault || (text.map(isDefault) ?? false)
    // A file without anything in it is one of version 1, which containerd 2 no longer reads.
    let isBlank = toml.lines.allSatisfy { $0.kind == .other }
    let plugin = isBlank ? Self.plugin2 : try plugin(toml)
    let handler = ["plugins", plugin, "containerd", "runtimes", DaemonJSON.runtime]
    try requireRoom(for: handler, in: toml)
    var block = [Self.begin] + (isBlank ? ["version = 2"] : [])
    block += [header(handler), "  runtime_type = \"io.containerd.runc.v2\"", "  \(header(handler + ["options"]))"]
    block.append("    BinaryName = \(Self.quoted(shim))")
    let table = ["plugins", plugin, "containerd"]
    if asDefault, !setDefault(in: &toml, table) { block += [header(table), "  " + Self.defaultLine] }
    let gap = toml.lines.isEmpty ? [] : [""]
    toml.lines += (gap + block + [Self.end]).map { TOMLLines.Line(text: $0, kind: .other) }
    toml.endsWithNewline = true
    return toml.text
  }

  /// The text without what `installed` put in. Where nobody else changed it, the same bytes as before, but for a line
  /// feed at its end that was missing.
  func removed(from text: String) throws(WireError) -> String {
    var toml = try TOMLLines(text, file: file)
    if let start = toml.lines.firstIndex(where: { $0.text.trimmingSpace() == Self.begin }) {
      guard let end = toml.lines[start...].firstIndex(where: { $0.text.trimmingSpace() == Self.end }) else {
        throw WireError("\(file): line \(start + 1)", "the block that begins here has no line \(Self.end.quoted)")
      }
      let gap = start > 0 && toml.lines[start - 1].text.trimmingSpace().isEmpty ? 1 : 0
      toml.lines.removeSubrange(start - gap...end)
    }
    toml.lines.removeAll { $0.text.trimmingSpace().hasSuffix(Self.added) }
    for index in toml.lines.indices {
      guard let range = toml.lines[index].text.range(of: Self.mark) else { continue }
      let line = toml.lines[index].text
      let key = line[..<range.lowerBound]
      guard let equals = key.firstIndex(of: "=") else { continue }
      toml.lines[index].text = "\(key[...equals])\(line[range.upperBound...])"
    }
    return toml.text
  }

  func isInstalled(in text: String) -> Bool {
    text.splitLines().contains { $0.trimmingSpace() == Self.begin }
  }

  private func isDefault(_ text: String) -> Bool {
    isInstalled(in: text) && text.splitLines().contains { $0.contains(Self.defaultLine) }
  }

  /// The files that `imports` names, as patterns.
  func imports(in text: String) throws(WireError) -> [String] {
    let toml = try TOMLLines(text, file: file)
    guard let start = toml.lines.firstIndex(where: { $0.kind == .key(["imports"]) }) else { return [] }
    let more = toml.lines[(start + 1)...].prefix { $0.kind == .other }
    return ([toml.lines[start]] + more).flatMap(\.strings)
  }

  /// Whether a text (of an imported file) has tables of the plugin that we put the handler into.
  func hasPlugin(_ text: String, like main: String) throws(WireError) -> Bool {
    let plugin = try plugin(TOMLLines(main, file: file))
    return try TOMLLines(text, file: file).lines.contains { line in
      switch line.kind {
      case .header(let name), .key(let name): name.starts(with: ["plugins", plugin])
      default: false
      }
    }
  }

  /// Whether the CRI plugin is switched off, as Docker's packages of containerd have it.
  func isCRIDisabled(in text: String) throws(WireError) -> Bool {
    try TOMLLines(text, file: file).lines.contains { line in
      line.kind == .key(["disabled_plugins"])
        && (line.text.contains("\"cri\"") || line.text.contains("io.containerd.grpc.v1.cri"))
    }
  }
}

extension ContainerdConfig {
  /// CRI's name among the plugins, which changes with the file's version.
  private func plugin(_ toml: TOMLLines) throws(WireError) -> String {
    guard let line = toml.lines.first(where: { $0.kind == .key(["version"]) }) else { return "cri" }
    let value = line.text.drop { $0 != "=" }.dropFirst().prefix { $0 != "#" }
    switch String(value).trimmingSpace() {
    case "1": return "cri"
    case "2": return Self.plugin2
    case "3": return "io.containerd.cri.v1.runtime"
    case let version:
      throw WireError("\(file): version \(version.escapingControls(limit: 20))", "expected 1, 2 or 3")
    }
  }

  /// Refuses where a table of ours would be a second one of its name, or where one above it is written in one line.
  private func requireRoom(for handler: [String], in toml: TOMLLines) throws(WireError) {
    for (index, line) in toml.lines.enumerated() {
      switch line.kind {
      case .header(let name) where name.starts(with: handler), .key(let name) where name.starts(with: handler):
        throw WireError(
          "\(file): line \(index + 1)", "there is a runtime \"wirehook\" that this command did not put there",
          hint: "remove it, or leave it as it is")
      case .key(let name) where handler.starts(with: name):
        throw WireError(
          "\(file): line \(index + 1)", "a table that is written as one value has no room for another runtime",
          hint: "write it as [\(name.joined(separator: "."))]")
      default: break
      }
    }
  }

  /// Makes wirehook the default in a table that is there; false where it is not.
  private func setDefault(in toml: inout TOMLLines, _ table: [String]) -> Bool {
    let key = table + ["default_runtime_name"]
    if let index = toml.lines.firstIndex(where: { $0.kind == .key(key) }) {
      let line = toml.lines[index].text
      guard let equals = line.firstIndex(of: "=") else { return false }
      toml.lines[index].text = "\(line[...equals]) \"wirehook\"\(Self.mark)\(line[line.index(after: equals)...])"
      return true
    }
    guard let index = toml.lines.firstIndex(where: { $0.kind == .header(table) }) else { return false }
    let line = TOMLLines.Line(text: "  " + Self.defaultLine + Self.added, kind: .key(key))
    toml.lines.insert(line, at: index + 1)
    return true
  }

  private func header(_ name: [String]) -> String {
    let parts = name.map { part in
      part.utf8.contains(UInt8(ascii: ".")) ? Self.quoted(part) : part
    }
    return "[\(parts.joined(separator: "."))]"
  }

  /// A basic string. Paths and names hold no control characters worth a thought; a quote or backslash is escaped.
  private static func quoted(_ text: String) -> String {
    var result = "\""
    for character in text {
      if character == "\"" || character == "\\" { result.append("\\") }
      result.append(character)
    }
    return result + "\""
  }
}

extension String {
  /// Where a text stands in this one, for the first time.
  func range(of text: String) -> Range<String.Index>? {
    var start = startIndex
    while start < endIndex {
      if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
      start = index(after: start)
    }
    return nil
  }
}
