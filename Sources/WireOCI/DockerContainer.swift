package import WireCore
internal import WireJSON

/// What Docker's `hostconfig.json` says of a container.
package struct DockerHostConfig: Sendable, Hashable {
  /// `none`, `host`, `container:ID`, `default`, or a network's name.
  package var networkMode: String
  /// `--dns`: the user chose the resolvers himself.
  package var dns: [String]
  /// `--add-host`, `NAME:IP` or `NAME:host-gateway`.
  package var extraHosts: [String]

  /// Only with this mode does Docker leave the namespace to others. It is empty as well when a container of one of
  /// Docker's networks is created, since Engine 26 at the latest.
  package var leavesNetworkToUs: Bool { networkMode == "none" }
}

extension DockerHostConfig {
  package static func parse(_ bytes: [UInt8]) throws(WireError) -> DockerHostConfig {
    let document = "hostconfig.json"
    let json = try DockerJSON.parse(bytes, document, only: [["NetworkMode"], ["Dns"], ["ExtraHosts"]])
    return DockerHostConfig(
      networkMode: try JSONReader(json, document: document)["NetworkMode"]?.string() ?? "",
      dns: DockerJSON.texts(json["Dns"]), extraHosts: DockerJSON.texts(json["ExtraHosts"]))
  }
}

/// What Docker's `config.v2.json` says of a container.
package struct DockerConfig: Sendable, Hashable {
  /// Without the slash in front; it follows a rename.
  package var name: String?
  package var domainname: String
  /// Those of the user and those of the image, mixed.
  package var labels: [Label]
  /// The storage driver, which is a folder's name below the data root.
  package var driver: String
  /// The digest of the image's configuration, 64 hexadecimal digits; with containerd's image store that of its manifest
  /// or index.
  package var image: String?
  /// The digest of the manifest, where Docker says it.
  package var manifest: String?

  package struct Label: Sendable, Hashable {
    package var key: String
    package var value: String

    package init(_ key: String, _ value: String) {
      self.key = key
      self.value = value
    }
  }

  /// The labels that the person who ran the container gave. One that the image has with the same value counts as the
  /// image's: the two cannot be told apart.
  package func ownLabels(image: [Label]) -> [Label] { labels.filter { !image.contains($0) } }
}

extension DockerConfig {
  package static func parse(_ bytes: [UInt8]) throws(WireError) -> DockerConfig {
    let wanted = [
      ["Name"], ["Image"], ["Driver"], ["ImageManifest", "digest"], ["Config", "Labels"], ["Config", "Domainname"],
    ]
    let json = try DockerJSON.parse(bytes, "config.v2.json", only: wanted)
    let name = DockerJSON.text(json["Name"]).map { $0.hasPrefix("/") ? String($0.dropFirst()) : $0 }
    return DockerConfig(
      name: name.flatMap { $0.isEmpty || $0.utf8.count > 1024 ? nil : $0 },
      domainname: DockerJSON.text(json["Config"]?["Domainname"]) ?? "",
      labels: DockerJSON.labels(json["Config"]?["Labels"]), driver: DockerJSON.text(json["Driver"]) ?? "",
      image: DockerJSON.digest(json["Image"]), manifest: DockerJSON.digest(json["ImageManifest"]?["digest"]))
  }
}

/// A document of an image: its configuration, or what leads to it.
package enum DockerImageDocument: Sendable, Hashable {
  /// The image's own labels.
  case configuration([DockerConfig.Label])
  /// A manifest, with the digest of the configuration.
  case manifest(String)
  /// An index, with the digests of its manifests.
  case index([String])

  package static func parse(_ bytes: [UInt8]) throws(WireError) -> DockerImageDocument {
    let json = try DockerJSON.parse(
      bytes, "the image's configuration", only: [["config", "Labels"], ["config", "digest"], ["manifests"]])
    if case .array(let manifests)? = json["manifests"] {
      return .index(manifests.prefix(64).compactMap { DockerJSON.digest($0["digest"]) })
    }
    if let digest = DockerJSON.digest(json["config"]?["digest"]) { return .manifest(digest) }
    return .configuration(DockerJSON.labels(json["config"]?["Labels"]))
  }
}

/// Docker's own documents: others' keys are skipped, and what is not of the expected kind is as if it were absent.
private enum DockerJSON {
  static func parse(_ bytes: [UInt8], _ document: String, only: [[String]]) throws(WireError) -> JSONValue {
    do throws(JSONError) {
      return try JSONValue.parse(bytes, limits: .state, duplicates: .lastWins, only: only)
    } catch {
      throw error.wireError(in: document)
    }
  }

  static func text(_ value: JSONValue?) -> String? {
    guard case .string(let text)? = value else { return nil }
    return text
  }

  static func texts(_ value: JSONValue?) -> [String] {
    guard case .array(let elements)? = value else { return [] }
    return elements.compactMap { text($0) }
  }

  static func labels(_ value: JSONValue?) -> [DockerConfig.Label] {
    guard case .object(let members)? = value else { return [] }
    return members.compactMap { member in text(member.value).map { DockerConfig.Label(member.name, $0) } }
  }

  /// The digits of `sha256:DIGITS`.
  static func digest(_ value: JSONValue?) -> String? {
    guard let text = text(value), text.hasPrefix("sha256:") else { return nil }
    let digits = text.dropFirst("sha256:".count)
    return DockerLocation.isID(digits) ? String(digits) : nil
  }
}
