import Foundation
import Support
import Testing

/// A container with a bundle as Docker writes it, and Docker's own files of it below a data root.
struct DockerBundle {
  let host: Sandbox
  let container: Container
  let data: String
  var directory: String { "\(data)/containers/\(container.id)" }

  /// What the user gave to `docker run`, and what his image brought.
  struct Options {
    var name = "web"
    var networkMode = "none"
    var labels: [String: String] = [:]
    var imageLabels: [String: String] = [:]
    var annotations: [String: String] = [:]
    var resolver = "nameserver 10.0.0.53\n"
    var dns: [String] = []
    /// Sources of the mounts that are not Docker's own file: `["hosts": "/srv/hosts"]`.
    var mounts: [String: String] = [:]
    var domainname = ""
  }

  private static let image = String(repeating: "1f", count: 32)

  /// `digit` makes the id: 64 of it.
  init(_ host: Sandbox, _ digit: String = "a", _ options: Options = Options()) throws {
    self.host = host
    data = "\(host.folder)/docker data"
    container = try host.container(String(repeating: digit, count: 64))
    try Command.require(["mkdir", "-p", directory, "\(data)/image/overlay2/imagedb/content/sha256"])
    try write(
      "hostconfig.json", ["NetworkMode": options.networkMode, "Dns": options.dns, "ExtraHosts": NSNull()])
    try write(name: options.name, options)
    for (file, text) in [
      ("hosts", "127.0.0.1\tlocalhost\n"), ("resolv.conf", options.resolver), ("hostname", "\(options.name)\n"),
    ] {
      try text.write(toFile: "\(directory)/\(file)", atomically: true, encoding: .utf8)
    }
    try jsonText(["config": ["Labels": options.imageLabels]]).write(
      toFile: "\(data)/image/overlay2/imagedb/content/sha256/\(Self.image)", atomically: true, encoding: .utf8)
    let mounts = ["hostname", "hosts", "resolv.conf"].map { name in
      ["destination": "/etc/\(name)", "type": "bind", "source": options.mounts[name] ?? "\(directory)/\(name)"]
    }
    let config: [String: Any] = [
      "ociVersion": "1.0.2", "root": ["path": "rootfs"], "hostname": "box", "mounts": mounts,
      "annotations": options.annotations,
      "linux": ["namespaces": [["type": "mount"], ["type": "network"]]],
    ]
    try jsonText(config).write(toFile: "\(container.bundle)/config.json", atomically: true, encoding: .utf8)
  }

  /// `docker rename`, or what Docker writes at create.
  func write(name: String, _ options: Options = Options()) throws {
    let labels = options.imageLabels.merging(options.labels) { $1 }
    try write(
      "config.v2.json",
      [
        "ID": container.id, "Name": "/\(name)", "Image": "sha256:\(Self.image)", "Driver": "overlay2",
        "Config": ["Labels": labels, "Domainname": options.domainname],
      ])
  }

  func write(_ file: String, _ object: [String: Any]) throws {
    try jsonText(object).write(toFile: "\(directory)/\(file)", atomically: true, encoding: .utf8)
  }

  /// As Docker has it with containerd's image store: the image is an index, of whose manifests one is here.
  func moveImageIntoContainerdsStore() throws {
    let blobs = "\(data)/containerd/daemon/io.containerd.content.v1.content/blobs/sha256"
    let digests = ["2e", "3d", "4c"].map { String(repeating: $0, count: 32) }
    let own = "\(data)/image/overlay2/imagedb/content/sha256/\(Self.image)"
    try Command.require(["mkdir", "-p", blobs])
    try Command.require(["mv", own, "\(blobs)/\(digests[1])"])
    try jsonText(["config": ["digest": "sha256:\(digests[1])"], "layers": [String]()]).write(
      toFile: "\(blobs)/\(digests[0])", atomically: true, encoding: .utf8)
    try jsonText(["manifests": [["digest": "sha256:\(digests[2])"], ["digest": "sha256:\(digests[0])"]]]).write(
      toFile: "\(blobs)/\(Self.image)", atomically: true, encoding: .utf8)
  }

  func attach(under wrapper: [String] = []) throws -> Command.Result {
    let state: [String: Any] = [
      "ociVersion": "1.0.2-dev", "id": container.id, "status": "creating", "pid": Int(container.pid),
      "bundle": container.bundle,
    ]
    return try host.hook(.createRuntime, input: jsonText(state), wd: container.bundle, under: wrapper)
  }

  /// Attaches; a failure ends the test.
  func start() throws {
    let result = try attach()
    guard result.succeeded else { throw Failure("\(result)") }
  }

  func text(_ file: String) throws -> String {
    try String(contentsOfFile: "\(directory)/\(file)", encoding: .utf8)
  }
}
