/// Whether the shim puts the hooks into a bundle. It decides by config.json alone; the hook looks closer, and leaves a
/// container alone that is not ours.
package enum InjectionPolicy: Sendable, Equatable {
  /// The container shares the host's network, has opted out, or says nothing where nothing is wired by default.
  case leave
  /// Wired by default, or by labels that config.json does not hold.
  case mayBeWired
  /// It says so in an annotation: something wrong in our part stops its start.
  case asks

  package init(_ bundle: Bundle, auto: Bool) {
    let ours = bundle.annotations.filter { $0.key.utf8.starts(with: "wirehook.".utf8) }
    if bundle.networkNamespace == .host {
      self = .leave
    } else if let first = ours.first {
      // An annotation wins over labels, so that nothing else can ask for a network.
      self = ours.count == 1 && first.key == "wirehook.network" && first.value == "none" ? .leave : .asks
    } else {
      self = auto || bundle.isDockers ? .mayBeWired : .leave
    }
  }
}

extension Bundle {
  /// Whether Docker made it: then a mount comes from `…/containers/ID/` under Docker's data root, wherever that is, and
  /// the files there may hold labels.
  package var isDockers: Bool {
    mounts.contains { mount in
      guard Self.filesOfDocker.contains(mount.destination), let source = mount.source else { return false }
      let parts = source.split(separator: "/").suffix(3)
      return parts.count == 3 && parts.first == "containers"
    }
  }

  private static let filesOfDocker = ["/etc/hostname", "/etc/hosts", "/etc/resolv.conf"]
}
