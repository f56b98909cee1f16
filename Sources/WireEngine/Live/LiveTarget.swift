internal import Glibc
package import WireCore
import WireLinux
package import WirePlan
import WireState

/// A running container as a person names it: by id or name, by pid, or by a file that keeps its network namespace.
package struct LiveTarget: Sendable {
  package var identity: ContainerIdentity
  /// nil: the namespace's file is all there is.
  var pid: Int32?
  var bundle: String?

  /// Opens its namespace, which is never the host's.
  func open(home: NamespaceIdentity) throws(WireError) -> ContainerNamespace {
    let opened: ContainerNamespace?
    if let path = identity.namespaceFile {
      opened = try ContainerNamespace.open(path: path, home: home)
    } else {
      opened = try ContainerNamespace.open(pid: pid ?? 0, home: home)
    }
    guard let namespace = opened else {
      throw WireError(
        "container \(identity.owner.quoted)", "it shares the host's network",
        hint: "only a container with a network namespace of its own can be changed")
    }
    return namespace
  }
}

extension LiveTarget {
  /// Finds what `text` names: what wirehook wired, then a path, then a pid, then any container that runs.
  package static func find(_ text: String, on host: borrowing Host) throws(WireError) -> LiveTarget {
    if let record = try wired(text, on: host) { return try target(record) }
    if text.hasPrefix("/") { return try owner(of: file(text), on: host) }
    if let pid = DecimalNumber.parse(text, upTo: 4_194_304), pid > 0 {
      return try owner(of: process(Int32(pid)), on: host)
    }
    return try owner(of: container(text), on: host)
  }

  /// The record that a person means; nil where nothing that wirehook wired is called so.
  static func wired(_ text: String, on host: borrowing Host) throws(WireError) -> ContainerRecord? {
    let found = try host.read { () throws(StateError) in
      if let exact = try host.store.container(named: text) { return [exact] }
      return text.utf8.count < 4 ? [] : try host.store.containers(idPrefix: text, limit: 2)
    }
    guard found.count < 2 else {
      throw WireError("container \(text.quoted)", "several ids begin like this", hint: "give more of the id")
    }
    return try found.first.flatMap { (record) throws(WireError) in
      try Collector.isGone(record, on: host) ? nil : record
    }
  }

  private static func target(_ record: ContainerRecord) throws(WireError) -> LiveTarget {
    var identity = ContainerIdentity(id: record.id, name: record.name)
    if !record.document.isEmpty { identity = try Records.attachment(record).container }
    return LiveTarget(identity: identity, pid: record.pid > 0 ? record.pid : nil, bundle: record.bundle)
  }

  /// A namespace that wirehook has wired is that container's, whatever it was found by.
  private static func owner(of target: LiveTarget, on host: borrowing Host) throws(WireError) -> LiveTarget {
    let netns = try target.open(home: host.namespace.identity).identity
    let record = try host.read { () throws(StateError) in
      try host.store.container(netns: netns)
    }
    guard let record, try !Collector.isGone(record, on: host) else { return target }
    return try self.target(record)
  }

  /// `/proc/PID/ns/net` is that process's; any other file keeps a namespace by itself.
  private static func file(_ path: String) -> LiveTarget {
    let parts = path.split(separator: "/")
    if parts.count == 4, parts[0] == "proc", parts[2] == "ns", let pid = Int32(parts[1]) { return process(pid) }
    let name = String(parts.last ?? "netns")
    return LiveTarget(
      identity: ContainerIdentity(id: "netns-\(name)", name: name, namespaceFile: path), pid: nil, bundle: nil)
  }

  private static func process(_ pid: Int32) -> LiveTarget {
    if let found = RunningContainers.all().first(where: { $0.pid == pid }) { return target(found) }
    let name = ProcessIdentity.name(ofPid: pid)
    return LiveTarget(identity: ContainerIdentity(id: "pid-\(pid)", name: name.map { "\($0)-\(pid)" }), pid: pid)
  }

  private static func target(_ found: RunningContainers.Found) -> LiveTarget {
    LiveTarget(
      identity: ContainerIdentity(id: found.id, name: found.name, engine: found.engine), pid: found.pid,
      bundle: found.bundle)
  }

  private static func container(_ text: String) throws(WireError) -> LiveTarget {
    let all = RunningContainers.all()
    if let exact = all.first(where: { $0.id == text }) { return target(exact) }
    let named = all.filter { $0.name == text }
    guard named.count < 2 else {
      throw WireError(
        "container \(text.quoted)", "several running containers are called so",
        hint: "give one's id: \(named.map { $0.id }.joined(separator: ", "))")
    }
    if let only = named.first { return target(only) }
    let near = text.utf8.count < 4 ? [] : all.filter { $0.id.hasPrefix(text) }
    guard near.count == 1 else {
      let name = Spelling.nearest(to: text, in: all.compactMap { $0.name }).map { "did you mean \($0.quoted)?" }
      throw WireError(
        "container \(text.quoted)",
        near.isEmpty ? "no running container of that id or name was found" : "several ids begin like this",
        hint: near.isEmpty
          ? name ?? "give its pid, or the file of its network namespace" : "give more of the id")
    }
    return target(near[0])
  }
}
