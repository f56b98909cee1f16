/// Where Docker keeps its files of one container, as far as its bundle shows it.
package struct DockerLocation: Sendable, Hashable {
  /// Docker's data root; with userns-remap the part of it that is for that mapping.
  package let dataRoot: String
  /// The container's id, 64 hexadecimal digits. It is the state's: with `--net=container:X` the mounts are those of X.
  package let id: String

  /// The folder of all containers, which is trusted; what lies below is opened relative to it.
  package var containers: String { dataRoot + "/containers" }
  /// The container's own folder.
  package var directory: String { "\(containers)/\(id)" }

  /// Where it may be: by the mounts of the three files that Docker makes for every container, and, where the user has
  /// mounted all three himself, by the container's root; empty where this does not look like Docker's bundle at all.
  package static func candidates(id: String, bundle: Bundle, at path: String?) -> [DockerLocation] {
    guard isID(id) else { return [] }
    var found: [DockerLocation] = []
    for mount in bundle.mounts {
      guard let name = own[mount.destination], let source = mount.source,
        let dataRoot = dataRoot(source: source, name: name),
        !found.contains(where: { $0.dataRoot == dataRoot })
      else { continue }
      found.append(DockerLocation(dataRoot: dataRoot, id: id))
    }
    guard found.isEmpty, isDockers(id: id, at: path), let root = bundle.rootPath, root.utf8.first == UInt8(ascii: "/")
    else { return found }
    // Three levels down in nearly every driver: overlay2/HASH/merged, rootfs/overlayfs/ID, vfs/dir/HASH.
    let parts = root.split(separator: "/")
    return parts.count > 3 ? [DockerLocation(dataRoot: "/" + parts.dropLast(3).joined(separator: "/"), id: id)] : []
  }

  /// Whether a bundle is Docker's for certain: `moby` is its namespace at containerd.
  package static func isDockers(id: String, at path: String?) -> Bool { path?.hasSuffix("/moby/" + id) ?? false }

  package init(dataRoot: String, id: String) {
    self.dataRoot = dataRoot
    self.id = id
  }

  private static let own = ["/etc/hostname": "hostname", "/etc/hosts": "hosts", "/etc/resolv.conf": "resolv.conf"]

  /// `DATA` of `DATA/containers/64 DIGITS/NAME`.
  private static func dataRoot(source: String, name: String) -> String? {
    let parts = source.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count > 4, parts[0].isEmpty, parts[parts.count - 1] == name, isID(parts[parts.count - 2]),
      parts[parts.count - 3] == "containers"
    else { return nil }
    return parts.dropLast(3).joined(separator: "/")
  }

  /// Whether it is an id as Docker makes them.
  static func isID(_ text: some StringProtocol) -> Bool {
    text.utf8.count == 64
      && text.utf8.allSatisfy {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
      }
  }
}
