import Foundation
import Glibc

/// A cheap container: a sleeping process in a network namespace of its own, and a bundle with a config.json.
package final class Container: Place, @unchecked Sendable {
  package let id: String
  package let pid: Int32
  package let bundle: String
  private let lock = NSLock()
  private var servers: [Server] = []
  private var alive = true

  package var name: String { id }
  package var netns: String { "/proc/\(pid)/ns/net" }

  init(id: String, pid: Int32, bundle: String) {
    self.id = id
    self.pid = pid
    self.bundle = bundle
  }

  /// Whether `kill` was not called yet.
  package var isAlive: Bool { lock.withLock { alive } }

  /// A server inside that ends with the container.
  @discardableResult
  package func serve(_ port: UInt16, on address: String? = nil, padding: Int = 0) throws -> Server {
    let server = try Server(id, in: self, port: port, address: address, padding: padding)
    lock.withLock { servers.append(server) }
    return server
  }

  /// Closes the sockets of its servers, which would keep the namespace alive.
  package func stopServers() {
    let all = lock.withLock {
      defer { servers = [] }
      return servers
    }
    for server in all { server.stop() }
  }

  /// Ends the process, and with it the namespace, as a runtime does before it calls poststop.
  package func kill() {
    stopServers()
    let first = lock.withLock {
      defer { alive = false }
      return alive
    }
    guard first else { return }
    Glibc.kill(pid, SIGKILL)
    var status: Int32 = 0
    waitpid(pid, &status, 0)
  }
}

extension Sandbox {
  /// Starts a container without network. `namespace`: the entry of config.json, `in`: a namespace to join instead of a new one.
  package func container(
    _ id: String, annotations: [String: String] = [:], in place: (any Place)? = nil, joinsPath: String? = nil
  ) throws -> Container {
    let words = place.map { ["nsenter", "--net=\($0.netns)"] } ?? ["unshare", "--net"]
    let before = place.map { Self.inode($0.netns) } ?? nil
    let pid = try Spawn.start(words + ["--", "sleep", "900"])
    let bundle = try writeBundle(id, annotations: annotations, path: joinsPath)
    let container = Container(id: id, pid: pid, bundle: bundle)
    lock.withLock { containers.append(container) }
    let own = Self.inode("/proc/self/ns/net")
    let ready = try eventually(within: .seconds(20)) {
      guard let inode = Self.inode(container.netns) else { return false }
      return before.map { inode == $0 } ?? (inode != own)
    }
    guard ready else { throw Failure("container \(id) did not get its namespace") }
    return container
  }

  /// A folder with a config.json, as a runtime would find it.
  package func writeBundle(_ id: String, annotations: [String: String] = [:], path: String? = nil) throws -> String {
    let folder = "\(folder)/bundles/\(lock.withLock { containers.count })"
    try FileManager.default.createDirectory(atPath: "\(folder)/rootfs/etc", withIntermediateDirectories: true)
    var namespace: [String: Any] = ["type": "network"]
    if let path { namespace["path"] = path }
    var config: [String: Any] = [
      "ociVersion": "1.0.2", "root": ["path": "rootfs"], "hostname": id,
      "linux": ["namespaces": [["type": "pid"], namespace, ["type": "mount"]]],
    ]
    if !annotations.isEmpty { config["annotations"] = annotations }
    try jsonText(config).write(toFile: "\(folder)/config.json", atomically: true, encoding: .utf8)
    return folder
  }

  /// The identity of a namespace; nil where there is none.
  package static func inode(_ path: String) -> UInt64? {
    var status = stat()
    return stat(path, &status) == 0 ? UInt64(status.st_ino) : nil
  }
}
