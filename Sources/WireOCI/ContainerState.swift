package import WireCore
package import WireJSON

/// The state that a runtime hands to a hook on standard input (OCI runtime specification, "State").
package struct ContainerState: Sendable {
  package enum Status: Sendable, Hashable {
    /// runc while its hooks run, and crun's word for the same.
    case creating, created
    case running, stopped
    /// Any other word; empty where a runtime says none, as runtimes before 1.0.
    case other(String)
  }

  /// Any text a runtime allows; never a path of several parts.
  package var id: String
  /// The container's first process as the host counts; nil for a container that has none any more.
  package var pid: Int32?
  package var status: Status
  /// The bundle's folder, absolute; nil where the runtime does not say.
  package var bundle: String?
  package var annotations: [(key: String, value: String)]

  package init(
    id: String, pid: Int32?, status: Status, bundle: String?, annotations: [(key: String, value: String)] = []
  ) {
    self.id = id
    self.pid = pid
    self.status = status
    self.bundle = bundle
    self.annotations = annotations
  }
}

extension ContainerState {
  private static let document = "container state"

  /// Reads what came on standard input. Keys that we do not need are checked, and ignored.
  package static func parse(_ bytes: [UInt8]) throws(WireError) -> ContainerState {
    let wanted = [["id"], ["pid"], ["status"], ["bundle"], ["bundlePath"], ["annotations"]]
    let json: JSONValue
    do throws(JSONError) {
      json = try JSONValue.parse(bytes, limits: .state, duplicates: .lastWins, only: wanted)
    } catch {
      throw error.wireError(in: document)
    }
    return try ContainerState(json: json)
  }

  package init(json: JSONValue) throws(WireError) {
    let reader = JSONReader(json, document: Self.document)
    self.init(
      id: try Self.id(reader.required("id")), pid: try Self.pid(reader["pid"]),
      status: try Self.status(reader["status"]),
      bundle: try Self.bundle(reader["bundle"] ?? reader["bundlePath"]),
      annotations: try OCIAnnotations.read(reader["annotations"]))
  }

  private static func id(_ reader: JSONReader) throws(WireError) -> String {
    try reader.parsed("1 to 1024 bytes without \"/\" and control characters, and not \".\" or \"..\"") { text in
      guard (1...1024).contains(text.utf8.count), text != ".", text != "..",
        text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f && $0 != UInt8(ascii: "/") })
      else { return nil }
      return text
    }
  }

  /// crun says 0 for a container that has stopped, runc leaves the key out.
  private static func pid(_ reader: JSONReader?) throws(WireError) -> Int32? {
    guard let reader else { return nil }
    let pid = try reader.integer(in: Int64(Int32.min)...Int64(Int32.max))
    return pid > 0 ? Int32(pid) : nil
  }

  private static func status(_ reader: JSONReader?) throws(WireError) -> Status {
    switch try reader?.string() ?? "" {
    case "creating": .creating
    case "created": .created
    case "running": .running
    case "stopped": .stopped
    case let word: .other(String(word.prefix(64)))
    }
  }

  private static func bundle(_ reader: JSONReader?) throws(WireError) -> String? {
    try reader?.parsed("an absolute path of less than 4096 bytes") { text in
      text.utf8.first == UInt8(ascii: "/") && text.utf8.count < 4096 ? text : nil
    }
  }
}

/// The `annotations` of a state or a config.json.
enum OCIAnnotations {
  /// Ours must be strings; others' are skipped where they are not.
  static func read(_ reader: JSONReader?) throws(WireError) -> [(key: String, value: String)] {
    guard let reader else { return [] }
    guard case .object(let members) = reader.value else { throw reader.expected("an object") }
    var result: [(key: String, value: String)] = []
    result.reserveCapacity(members.count)
    for member in members {
      if case .string(let text) = member.value {
        result.append((member.name, text))
      } else if member.name.utf8.starts(with: "wirehook.".utf8) {
        let key = member.name.escapingControls(limit: 120)
        throw JSONReader(member.value, document: reader.document, path: "annotations.\(key)").expected("a string")
      }
    }
    return result
  }
}
