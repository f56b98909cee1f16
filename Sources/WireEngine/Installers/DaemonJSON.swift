import WireCore
import WireJSON

/// Docker's daemon.json: the runtime `wirehook` in it, everything else untouched.
struct DaemonJSON {
  /// The file's path, for errors.
  let file: String
  let shim: String
  /// The shim's own options.
  let arguments: [String]

  static let runtime = "wirehook"

  /// The text with the runtime, and with it as the default if wanted. Nil and white space alone count as an empty file.
  func installed(in bytes: [UInt8]?, asDefault: Bool) throws(WireError) -> [UInt8] {
    guard var text = bytes, !Self.isBlank(text) else { return Array(fresh(asDefault).utf8) }
    text = try withRuntime(text)
    return asDefault ? try withDefault(text) : text
  }

  /// The text without the runtime. `original`, the text before the installation, says what was the default then; nil
  /// where nothing is left that somebody had written.
  func removed(from bytes: [UInt8], original: [UInt8]?) throws(WireError) -> [UInt8]? {
    guard !Self.isBlank(bytes) else { return bytes }
    var text = bytes
    guard let runtimes = try member("runtimes", of: text), try isOurs(runtimes.value, text) else { return bytes }
    let inner = try object(text, runtimes.value)
    let isLast = inner.members.count == 1
    let hadRuntimes = try original.map { (old) throws(WireError) in try member("runtimes", of: old) != nil } ?? false
    text =
      isLast && !hadRuntimes
      ? try object(text).removing("runtimes", from: text) : inner.removing(Self.runtime, from: text)
    text = try withoutDefault(text, original)
    let isEmpty = try object(text).members.isEmpty
    return original == nil && isEmpty ? nil : text
  }

  /// Whether the runtime is there, and is the shim.
  func isInstalled(in bytes: [UInt8]) throws(WireError) -> Bool {
    guard !Self.isBlank(bytes), let runtimes = try member("runtimes", of: bytes) else { return false }
    return try isOurs(runtimes.value, bytes)
  }
}

extension DaemonJSON {
  private var entry: JSONValue {
    var members: [JSONValue.Member] = [.init("path", .string(shim))]
    if !arguments.isEmpty { members.append(.init("runtimeArgs", .array(arguments.map(JSONValue.string)))) }
    return .object(members)
  }

  /// The entry on one line, with spaces as people write it.
  private var entryText: String {
    var text = "{ \"path\": \(JSONWriter.compact(.string(shim)))"
    if !arguments.isEmpty {
      text += ", \"runtimeArgs\": [\(arguments.map { JSONWriter.compact(.string($0)) }.joined(separator: ", "))]"
    }
    return text + " }"
  }

  private func fresh(_ asDefault: Bool) -> String {
    var members: [JSONValue.Member] = [.init("runtimes", .object([.init(Self.runtime, entry)]))]
    if asDefault { members.append(.init("default-runtime", .string(Self.runtime))) }
    return JSONWriter.pretty(.object(members))
  }

  private func withRuntime(_ text: [UInt8]) throws(WireError) -> [UInt8] {
    let top = try object(text)
    let named = "\(JSONWriter.compact(.string(Self.runtime))): \(entryText)"
    guard let runtimes = top["runtimes"] else { return top.adding("runtimes", "{ \(named) }", to: text) }
    guard !text[runtimes.value].elementsEqual("null".utf8) else {
      return JSONObjectText.replace(runtimes.value, of: text, by: "{ \(named) }")
    }
    let inner = try object(text, runtimes.value)
    guard let present = inner[Self.runtime] else { return inner.adding(Self.runtime, entryText, to: text) }
    guard try isOurs(runtimes.value, text) else {
      throw WireError(
        "\(file): runtimes.\(Self.runtime)", "there is a runtime of this name that is not wirehook-runc",
        hint: "give it another name, or remove it")
    }
    let value = try parse(text, present.value)
    // Somebody's own options beside the right path stay, unless others are asked for.
    let isRight = value["path"] == .string(shim) && (arguments.isEmpty || value["runtimeArgs"] == entry["runtimeArgs"])
    return isRight ? text : JSONObjectText.replace(present.value, of: text, by: entryText)
  }

  private func withDefault(_ text: [UInt8]) throws(WireError) -> [UInt8] {
    let top = try object(text)
    let name = JSONWriter.compact(.string(Self.runtime))
    guard let present = top["default-runtime"] else { return top.adding("default-runtime", name, to: text) }
    return try parse(text, present.value) == .string(Self.runtime)
      ? text : JSONObjectText.replace(present.value, of: text, by: name)
  }

  private func withoutDefault(_ text: [UInt8], _ original: [UInt8]?) throws(WireError) -> [UInt8] {
    guard let present = try member("default-runtime", of: text), try parse(text, present.value) == .string(Self.runtime)
    else { return text }
    if let original, let before = try member("default-runtime", of: original) {
      let value = String(decoding: original[before.value], as: UTF8.self)
      return JSONObjectText.replace(present.value, of: text, by: value)
    }
    return try object(text).removing("default-runtime", from: text)
  }

  /// Whether `runtimes` holds one of our name that is a shim of ours, wherever it is installed.
  private func isOurs(_ runtimes: Range<Int>, _ text: [UInt8]) throws(WireError) -> Bool {
    guard case .string(let path)? = try parse(text, runtimes)[Self.runtime]?["path"] else { return false }
    return path == shim || path.split(separator: "/").last == "wirehook-runc"
  }

  private func member(_ name: String, of text: [UInt8]) throws(WireError) -> JSONObjectText.Member? {
    Self.isBlank(text) ? nil : try object(text)[name]
  }

  private func object(_ text: [UInt8], _ range: Range<Int>? = nil) throws(WireError) -> JSONObjectText {
    do throws(JSONError) { return try JSONObjectText(text, in: range) } catch { throw explain(error) }
  }

  private func parse(_ text: [UInt8], _ range: Range<Int>) throws(WireError) -> JSONValue {
    // One value within an array: json-c reads a document's own scalar differently.
    let bytes = [UInt8(ascii: "[")] + text[range] + [UInt8(ascii: "]")]
    do throws(JSONError) {
      guard case .array(let values) = try JSONValue.parse(bytes, limits: .bundle, duplicates: .lastWins) else {
        return .null
      }
      return values.first ?? .null
    } catch {
      throw explain(error)
    }
  }

  private func explain(_ error: JSONError) -> WireError {
    let error = error.wireError(in: file)
    return WireError(error.what, error.why, hint: "Docker would refuse the file too: nothing was changed")
  }

  private static func isBlank(_ bytes: [UInt8]) -> Bool {
    bytes.allSatisfy { $0 == 0x20 || $0 == 0x0a || $0 == 0x0d || $0 == 0x09 }
  }
}
