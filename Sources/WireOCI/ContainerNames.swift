package import WireCore
internal import WireJSON

/// The name that people gave a container, where an engine puts it into the annotations.
package enum ContainerNames {
  /// nerdctl's own; that of a Kubernetes pod (its sandbox has the network); CRI-O's.
  private static let keys = [
    "nerdctl/name", "io.kubernetes.cri.sandbox-name", "io.kubernetes.cri.container-name", "io.kubernetes.cri-o.Name",
  ]

  package static func name(in annotations: [(key: String, value: String)]) -> String? {
    for key in keys {
      guard let found = annotations.first(where: { $0.key == key })?.value else { continue }
      if (1...1024).contains(found.utf8.count) { return found }
    }
    return nil
  }
}

/// What Podman shows of a container.
package enum PodmanBundle {
  /// Whether Podman (or another program on its library) made the container.
  package static func isPodmans(_ annotations: [(key: String, value: String)]) -> Bool {
    annotations.contains { $0.key == "io.container.manager" && $0.value == "libpod" }
  }

  /// The folder of all containers, of a bundle `…/overlay-containers/ID/userdata`.
  package static func containers(bundle: String, id: String) -> String? {
    let suffix = "-containers/\(id)/userdata"
    guard bundle.hasSuffix(suffix) else { return nil }
    return String(bundle.dropLast("/\(id)/userdata".count))
  }

  /// Whether a mount's source is a file that Podman made for this very container.
  package static func isOwn(source: String, name: String, id: String) -> Bool {
    source.hasSuffix("-containers/\(id)/userdata/\(name)")
  }

  /// The container's name in the list of all, `containers.json`: it is nowhere in the bundle.
  package static func name(of id: String, list bytes: [UInt8]) throws(WireError) -> String? {
    let json: JSONValue
    do throws(JSONError) {
      json = try JSONValue.parse(bytes, limits: .list, duplicates: .lastWins)
    } catch {
      throw error.wireError(in: "containers.json")
    }
    guard case .array(let containers) = json,
      let own = containers.first(where: { $0["id"] == .string(id) }),
      case .array(let names)? = own["names"], case .string(let name)? = names.first,
      (1...1024).contains(name.utf8.count)
    else { return nil }
    return name
  }
}
