import Testing
import WireCore
import WireOCI

private let id = String(repeating: "ab", count: 32)
private let other = String(repeating: "cd", count: 32)

/// A bundle with these mounts (destination, source), as Docker writes it.
private func bundle(_ mounts: [(String, String)], root: String = "rootfs") throws -> Bundle {
  let mounts = ([("/proc", "proc")] + mounts).map { #"{"destination":"\#($0)","source":"\#($1)"}"# }
    .joined(separator: ",")
  let text = """
    {"root":{"path":"\(root)"},"mounts":[\(mounts)],
     "linux":{"namespaces":[{"type":"network"}]}}
    """
  return try .parse(Array(text.utf8))
}

private func roots(_ bundle: Bundle, at path: String? = nil, id: String = id) -> [String] {
  DockerLocation.candidates(id: id, bundle: bundle, at: path).map(\.dataRoot)
}

@Test(arguments: ["/var/lib/docker", "/mnt/a b/data", "/var/lib/docker/100000.100000"])
func theDataRootIsFoundByAMountOfDockersOwnFiles(_ data: String) throws {
  for name in ["hostname", "hosts", "resolv.conf"] {
    #expect(try roots(bundle([("/etc/\(name)", "\(data)/containers/\(id)/\(name)")])) == [data])
  }
}

@Test func theIDIsTheStatesAndNotThePaths() throws {
  let found = DockerLocation.candidates(
    id: id, bundle: try bundle([("/etc/hosts", "/d/containers/\(other)/hosts")]), at: nil)
  #expect(found.map(\.directory) == ["/d/containers/\(id)"])
}

@Test(arguments: [
  ("/etc/hosts", "/d/containers/\(id)/hostname"), ("/etc/passwd", "/d/containers/\(id)/hosts"),
  ("/etc/hosts", "/d/containers/abc/hosts"), ("/etc/hosts", "/d/\(id)/hosts"),
  ("/etc/hosts", "d/containers/\(id)/hosts"), ("/etc/hosts", "containers/\(id)/hosts"), ("/etc/hosts", "/etc/hosts"),
  ("/etc/hosts", ""),
])
func anyOtherMountSaysNothing(_ destination: String, _ source: String) throws {
  #expect(try roots(bundle([(destination, source)])) == [])
}

@Test func anIDThatIsNotDockersIsNotDockers() throws {
  let docker = try bundle([("/etc/hosts", "/d/containers/\(id)/hosts")])
  for id in ["web", String(id.dropLast()), id.uppercased(), ""] { #expect(roots(docker, id: id) == []) }
}

@Test func whereTheUserMountedAllThreeTheRootLeadsToTheDataRoot() throws {
  let own = try bundle([("/etc/hosts", "/etc/hosts")], root: "/var/lib/docker/overlay2/\(other)/merged")
  #expect(
    roots(own, at: "/run/docker/containerd/daemon/io.containerd.runtime.v2.task/moby/\(id)") == ["/var/lib/docker"])
  #expect(roots(own, at: "/run/containerd/io.containerd.runtime.v2.task/default/\(id)") == [])
  #expect(roots(try bundle([], root: "merged"), at: "/x/moby/\(id)") == [])
}

@Test(
  "Only the mode `none` leaves the network to us",
  arguments: [
    ("{\"NetworkMode\":\"none\"}", true), ("{\"NetworkMode\":\"bridge\"}", false),
    ("{\"NetworkMode\":\"default\"}", false),
    ("{\"NetworkMode\":\"\"}", false), ("{\"NetworkMode\":\"mine\"}", false), ("{\"NetworkMode\":\"host\"}", false),
    ("{\"NetworkMode\":\"container:\(id)\"}", false), ("{\"NetworkMode\":null}", false), ("{}", false),
    ("{\"NetworkMode\":\"None\"}", false),
  ])
func onlyNoneLeavesTheNetworkToUs(_ text: String, _ expected: Bool) throws {
  #expect(try DockerHostConfig.parse(Array(text.utf8)).leavesNetworkToUs == expected)
}

@Test func whatDockerKnowsIsRead() throws {
  let host = try DockerHostConfig.parse(
    Array(#"{"NetworkMode":"none","Dns":["9.9.9.9"],"ExtraHosts":["a:1.2.3.4","b:host-gateway"],"Binds":null}"#.utf8))
  #expect(host.dns == ["9.9.9.9"])
  #expect(host.extraHosts == ["a:1.2.3.4", "b:host-gateway"])
  let config = try DockerConfig.parse(
    Array(
      """
      {"Name":"/web","Image":"sha256:\(id)","Driver":"overlay2","ImageManifest":{"digest":"sha256:\(other)"},
       "Config":{"Domainname":"example.com","Labels":{"a":"b","wirehook.ports":"8080:80","n":7}}}
      """.utf8))
  #expect(config.name == "web")
  #expect(config.image == id)
  #expect(config.manifest == other)
  #expect(config.driver == "overlay2")
  #expect(config.domainname == "example.com")
  #expect(config.labels == [.init("a", "b"), .init("wirehook.ports", "8080:80")])
}

@Test(arguments: [
  "{}", #"{"Name":"","Image":"","Config":null}"#, #"{"Name":"/","Image":"sha256:../../x","Config":{"Labels":null}}"#,
  #"{"Name":7,"Image":null,"Config":{"Labels":["wirehook.ports"]}}"#,
])
func whatIsOddInDockersFileIsAsIfItWereAbsent(_ text: String) throws {
  let config = try DockerConfig.parse(Array(text.utf8))
  #expect(config.name == nil && config.image == nil && config.labels.isEmpty)
}

@Test func aLabelThatTheImageHasWithTheSameValueIsTheImages() throws {
  let config = try DockerConfig.parse(
    Array(#"{"Config":{"Labels":{"wirehook.ports":"1:1","wirehook.mtu":"1400","own":"x"}}}"#.utf8))
  let image: [DockerConfig.Label] = [.init("wirehook.ports", "9999:99"), .init("wirehook.mtu", "1400")]
  #expect(config.ownLabels(image: image) == [.init("wirehook.ports", "1:1"), .init("own", "x")])
}

@Test func anImageIsFollowedFromItsIndexToItsLabels() throws {
  func parse(_ text: String) throws -> DockerImageDocument { try .parse(Array(text.utf8)) }
  #expect(
    try parse(#"{"config":{"Labels":{"a":"b"},"Env":[]},"rootfs":{}}"#) == .configuration([.init("a", "b")]))
  #expect(try parse(#"{"config":{"Labels":null}}"#) == .configuration([]))
  #expect(try parse(#"{"config":{"digest":"sha256:\#(id)","size":7},"layers":[]}"#) == .manifest(id))
  #expect(
    try parse(#"{"manifests":[{"digest":"sha256:\#(id)"},{"digest":"md5:1"},{"digest":"sha256:\#(other)"}]}"#)
      == .index([id, other]))
}

@Test func namesComeFromTheAnnotationsOfOtherEngines() {
  #expect(ContainerNames.name(in: [("x", "y"), ("nerdctl/name", "web")]) == "web")
  #expect(ContainerNames.name(in: [("io.kubernetes.cri.sandbox-name", "pod")]) == "pod")
  #expect(ContainerNames.name(in: [("nerdctl/name", "")]) == nil)
  #expect(ContainerNames.name(in: []) == nil)
}

@Test func podmansNameIsInItsListOfContainers() throws {
  let list = Array(
    #"[{"id":"\#(other)","names":["a"]},{"id":"\#(id)","names":["web","x"]},{"id":"q","names":null}]"#.utf8)
  #expect(try PodmanBundle.name(of: id, list: list) == "web")
  #expect(try PodmanBundle.name(of: "q", list: list) == nil)
  #expect(try PodmanBundle.name(of: "none", list: list) == nil)
  #expect(try PodmanBundle.name(of: id, list: Array("{}".utf8)) == nil)
  #expect(throws: WireError.self) { try PodmanBundle.name(of: id, list: Array("[".utf8)) }
  #expect(
    PodmanBundle.containers(bundle: "/s/overlay-containers/\(id)/userdata", id: id) == "/s/overlay-containers")
  #expect(PodmanBundle.containers(bundle: "/s/overlay-containers/\(other)/userdata", id: id) == nil)
  #expect(PodmanBundle.isOwn(source: "/r/vfs-containers/\(id)/userdata/hosts", name: "hosts", id: id))
  #expect(!PodmanBundle.isOwn(source: "/r/vfs-containers/\(id)/userdata/hosts", name: "resolv.conf", id: id))
  #expect(!PodmanBundle.isOwn(source: "/etc/hosts", name: "hosts", id: id))
}
