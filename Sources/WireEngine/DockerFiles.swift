internal import Glibc
import WireConfig
import WireCore
import WireLinux
import WireOCI
import WirePlan

/// Docker's files of one container: below its data root, opened through no link, and its own.
struct DockerFiles {
  let location: DockerLocation
  let hostConfig: DockerHostConfig

  private static let limit = 4 << 20

  /// Finds them; nil where the bundle is not Docker's.
  static func find(id: String, _ bundle: Bundle, at path: String?) throws(WireError) -> DockerFiles? {
    for location in DockerLocation.candidates(id: id, bundle: bundle, at: path) {
      let bytes: [UInt8]
      do throws(SystemError) {
        bytes = try Directory(location.containers).readTrusted("\(id)/hostconfig.json", limit: limit)
      } catch {
        // Somebody else's folder that happens to look like it.
        continue
      }
      return DockerFiles(location: location, hostConfig: try DockerHostConfig.parse(bytes))
    }
    guard !DockerLocation.isDockers(id: id, at: path) else {
      throw WireError(
        "finding Docker's files of container \(id.prefix(12))", "no mount of it leads to Docker's data root",
        hint: "do not mount /etc/hosts, /etc/hostname and /etc/resolv.conf all three")
    }
    return nil
  }

  func facts(policy: Policy) throws(WireError) -> EngineFacts {
    var facts = EngineFacts()
    facts.networkMode = hostConfig.networkMode
    guard hostConfig.leavesNetworkToUs else { return facts }
    let config = try config()
    facts.reference = EngineReference(.docker, directory: location.containers)
    facts.name = config.name
    facts.domainname = config.domainname
    facts.serversAreChosen = !hostConfig.dns.isEmpty
    facts.hosts = hostConfig.extraHosts.compactMap { NameRequest.HostEntry(text: $0) }
    guard config.labels.contains(where: { AnnotationKey.isOurs($0.key) }) else { return facts }
    do throws(WireError) {
      let labels = policy.imageLabels ? config.labels : config.ownLabels(image: try imageLabels(config))
      facts.labels = labels.filter { AnnotationKey.isOurs($0.key) }.map { (key: $0.key, value: $0.value) }
    } catch {
      facts.labelsFailure = error
    }
    return facts
  }

  private func config() throws(WireError) -> DockerConfig {
    let bytes: [UInt8]
    do throws(SystemError) {
      bytes = try Directory(location.containers).readTrusted("\(location.id)/config.v2.json", limit: Self.limit)
    } catch {
      throw Hints.explain(error, while: "reading what Docker knows of the container")
    }
    return try DockerConfig.parse(bytes)
  }

  /// The container's name as it is now; a convenience, so nil where it cannot be read.
  static func name(of id: String, in containers: String) -> String? {
    do {
      return try DockerConfig.parse(Directory(containers).readTrusted("\(id)/config.v2.json", limit: limit)).name
    } catch {
      return nil
    }
  }

  // MARK: The image

  /// The labels that are baked into the image.
  private func imageLabels(_ config: DockerConfig) throws(WireError) -> [DockerConfig.Label] {
    guard let digest = config.manifest ?? config.image, let labels = try labels(digest, config.driver, depth: 0) else {
      throw WireError(
        "telling the image's labels from the container's own", "the image's configuration is not found",
        hint: "use --annotation instead of --label, or allow policy.image_labels")
    }
    return labels
  }

  /// Of an index the labels of every platform whose configuration is here: the container is of one of them.
  private func labels(_ digest: String, _ driver: String, depth: Int) throws(WireError) -> [DockerConfig.Label]? {
    guard depth < 3, let bytes = document(digest, driver) else { return nil }
    switch try DockerImageDocument.parse(bytes) {
    case .configuration(let labels): return labels
    case .manifest(let digest): return try labels(digest, driver, depth: depth + 1)
    case .index(let digests):
      var found: [DockerConfig.Label]?
      for digest in digests {
        if let labels = try labels(digest, driver, depth: depth + 1) { found = (found ?? []) + labels }
      }
      return found
    }
  }

  /// A document by its digest: in Docker's own image store, else in containerd's, its own or the host's.
  private func document(_ digest: String, _ driver: String) -> [UInt8]? {
    let blobs = "io.containerd.content.v1.content/blobs/sha256"
    var places = [
      (location.dataRoot, "containerd/daemon/\(blobs)/\(digest)"), ("/var/lib/containerd", "\(blobs)/\(digest)"),
    ]
    if !driver.isEmpty, !driver.contains("/"), driver != "..", driver != "." {
      places.insert((location.dataRoot, "image/\(driver)/imagedb/content/sha256/\(digest)"), at: 0)
    }
    for (directory, name) in places {
      do throws(SystemError) {
        return try Directory(directory).readTrusted(name, limit: Self.limit)
      } catch {
        continue
      }
    }
    return nil
  }
}
