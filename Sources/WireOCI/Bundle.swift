package import WireCore
package import WireJSON

/// What we need of a bundle's config.json.
package struct Bundle: Sendable {
  /// The container's network namespace, by `linux.namespaces`.
  package enum NetworkNamespace: Sendable, Hashable {
    /// No entry: it shares the runtime's, which is the host's.
    case host
    /// An entry without a path: the runtime makes one.
    case own
    /// One that is there already.
    case path(String)
  }

  package struct Mount: Sendable, Hashable {
    package var destination: String
    package var source: String?
    package var type: String?
  }

  package var annotations: [(key: String, value: String)]
  package var networkNamespace: NetworkNamespace
  /// `root.path` as it is written: relative to the bundle, or absolute.
  package var rootPath: String?
  package var mounts: [Mount]
  package var hostname: String?
}

extension Bundle {
  private static let document = "config.json"

  /// Reads config.json. Keys that we do not need are checked, and never become values.
  package static func parse(_ bytes: [UInt8]) throws(WireError) -> Bundle {
    let wanted = [["annotations"], ["hostname"], ["root", "path"], ["mounts"], ["linux", "namespaces"]]
    let json: JSONValue
    do throws(JSONError) {
      let found = try JSONValue.parse(bytes, limits: .bundle, duplicates: .lastWins, only: wanted)
      // No namespaces at all: either so, or "linux" is no object. Looked at again, for it hardly ever happens.
      if found["linux"] == nil, case .object(let members) = found,
        let linux = try JSONValue.outline(of: "linux", in: bytes, limits: .bundle)
      {
        json = .object(members + [JSONValue.Member("linux", linux)])
      } else {
        json = found
      }
    } catch {
      throw error.wireError(in: document)
    }
    return try Bundle(json: json)
  }

  package init(json: JSONValue) throws(WireError) {
    let reader = JSONReader(json, document: Self.document)
    annotations = try OCIAnnotations.read(reader["annotations"])
    networkNamespace = try Self.networkNamespace(Self.object(reader["linux"])?["namespaces"])
    rootPath = try Self.object(reader["root"])?["path"]?.string()
    mounts = try Self.mounts(reader["mounts"])
    hostname = try reader["hostname"]?.string()
  }

  private static func object(_ reader: JSONReader?) throws(WireError) -> JSONReader? {
    guard let reader else { return nil }
    guard case .object = reader.value else { throw reader.expected("an object") }
    return reader
  }

  private static func networkNamespace(_ reader: JSONReader?) throws(WireError) -> NetworkNamespace {
    guard let reader else { return .host }
    var found: NetworkNamespace?
    for element in try reader.elements() where try element.required("type").string() == "network" {
      // runc refuses this as well; a runtime that does not would leave open which one counts.
      guard found == nil else { throw element.expected("one network namespace, found a second") }
      let path = try element["path"]?.string() ?? ""
      found = path.isEmpty ? .own : .path(path)
    }
    return found ?? .host
  }

  /// Containers have dozens of mounts: readers, with their paths as text, are made only for the one that is wrong.
  private static func mounts(_ reader: JSONReader?) throws(WireError) -> [Mount] {
    guard let reader else { return [] }
    guard case .array(let elements) = reader.value else { throw reader.expected("an array") }
    var result: [Mount] = []
    result.reserveCapacity(elements.count)
    for (index, element) in elements.enumerated() {
      guard case .string(let destination)? = element["destination"] else {
        let path = "\(reader.path)[\(index)]"
        throw JSONReader(element, document: document, path: path).expected("a mount with a \"destination\" of text")
      }
      result.append(Mount(destination: destination, source: text(element["source"]), type: text(element["type"])))
    }
    return result
  }

  private static func text(_ value: JSONValue?) -> String? {
    guard case .string(let text)? = value else { return nil }
    return text
  }
}
