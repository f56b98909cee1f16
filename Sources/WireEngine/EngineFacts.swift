package import WireConfig
package import WireCore
import WireLinux
package import WireOCI
package import WirePlan

/// What the engine knows of a container and its bundle does not say.
package struct EngineFacts: Sendable {
  package var reference: EngineReference?
  package var name: String?
  /// Labels of the person who ran the container.
  package var labels: [(key: String, value: String)] = []
  /// Why the labels cannot be told from the image's, though some are for us: nobody may guess then.
  package var labelsFailure: WireError?
  /// Docker's network mode; nil with every other engine.
  package var networkMode: String?
  package var domainname: String?
  /// `--dns` was given.
  package var serversAreChosen = false
  /// `--add-host`.
  package var hosts: [NameRequest.HostEntry] = []

  package init() {}
}

extension EngineFacts {
  /// Asks Docker's or Podman's files, where the bundle is theirs; of any other bundle no file is opened.
  package static func read(
    _ state: ContainerState, _ bundle: Bundle?, policy: Policy
  ) throws(WireError) -> EngineFacts {
    guard let bundle else { return EngineFacts() }
    switch bundle.networkNamespace {
    // Not ours to touch whatever an engine says.
    case .host: return EngineFacts()
    case .path(let path) where path.hasPrefix("/proc/"): return EngineFacts()
    default: break
    }
    if let docker = try DockerFiles.find(id: state.id, bundle, at: state.bundle) {
      return try docker.facts(policy: policy)
    }
    var facts = EngineFacts()
    let annotations = state.annotations.isEmpty ? bundle.annotations : state.annotations
    facts.name = ContainerNames.name(in: annotations)
    if PodmanBundle.isPodmans(annotations), let path = state.bundle,
      let directory = PodmanBundle.containers(bundle: path, id: state.id)
    {
      facts.reference = EngineReference(.podman, directory: directory)
      facts.name = PodmanFiles.name(of: state.id, in: directory) ?? facts.name
    }
    return facts
  }

  /// The name that the engine has for a container now.
  package static func currentName(of container: ContainerIdentity) -> String? {
    guard let engine = container.engine else { return nil }
    switch engine.kind {
    case .docker: return DockerFiles.name(of: container.id, in: engine.directory)
    case .podman: return PodmanFiles.name(of: container.id, in: engine.directory)
    }
  }
}

/// Podman's list of containers.
enum PodmanFiles {
  /// A name is a convenience: where the list cannot be read there is none. A container that is removed when it ends may
  /// be in a list of its own.
  static func name(of id: String, in directory: String) -> String? {
    for list in ["containers.json", "volatile-containers.json"] {
      do {
        let bytes = try Directory(directory).readTrusted(list, limit: 16 << 20)
        if let name = try PodmanBundle.name(of: id, list: bytes) { return name }
      } catch {
        continue
      }
    }
    return nil
  }
}
