import Testing
import WireConfig
import WireCore
import WirePlan

private let hostsFile = ContainerFile(.engine, directory: "/d/containers", name: "c1/hosts")
private let resolverFile = ContainerFile(.engine, directory: "/d/containers", name: "c1/resolv.conf")

/// What a container with an address of each family, behind the gateway 10.210.4.1, gets into its files.
private struct Names {
  var facts = NameFacts()
  var fallback: [String] = []
  var networks = "front"
  var more: [(String, String)] = []

  init() {
    facts.hosts = hostsFile
    facts.resolver = resolverFile
    facts.hostname = "web"
  }

  func edits(_ annotations: [(String, String)] = []) throws -> [FileEdit] {
    let attachment = try Planning().attach("c1", name: "shop", [("wirehook.network", networks)] + more)
    let request = try ContainerRequest.parse(annotations: annotations.map { (key: $0.0, value: $0.1) }).names
    return try NamePlanner(facts: facts, request: request, fallback: fallback.compactMap { IPAddress($0) })
      .plan(for: attachment)
  }

  func hosts(_ before: String = "", _ annotations: [(String, String)] = []) throws -> String? {
    for edit in try edits(annotations) {
      if case .hosts = edit.change { return text(edit, before) }
    }
    return nil
  }

  func resolver(_ before: String, _ annotations: [(String, String)] = []) throws -> String? {
    var names = self
    names.facts.servers = ResolverText.servers(Array(before.utf8))
    for edit in try names.edits(annotations) {
      if case .resolver = edit.change { return text(edit, before) }
    }
    return nil
  }

  private func text(_ edit: FileEdit, _ before: String) -> String {
    String(decoding: edit.edited(Array(before.utf8)), as: UTF8.self)
  }
}

@Suite struct HostsTests {
  private let localhost = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost\n"
  private let own = """
    10.210.5.0\tweb shop\t# wirehook
    fd42:210:4::2\tweb shop\t# wirehook
    10.210.4.1\thost.docker.internal host.containers.internal\t# wirehook

    """

  @Test func aContainersOwnNamesAndItsHostAreAdded() throws {
    #expect(try Names().hosts(localhost) == localhost + own)
  }

  @Test func aSecondEditReplacesTheFirst() throws {
    #expect(try Names().hosts(localhost + "10.9.9.9\tweb shop\t# wirehook\n") == localhost + own)
  }

  @Test func aFileWithoutALineFeedAtItsEndIsNotJoined() throws {
    #expect(try Names().hosts("1.2.3.4 db") == "1.2.3.4 db\n" + own)
  }

  @Test func theNameWithItsDomainComesFirst() throws {
    var names = Names()
    names.facts.domainname = "example.com"
    #expect(try names.hosts()?.hasPrefix("10.210.5.0\tweb.example.com web shop\t") == true)
  }

  @Test func podmansOwnLinesOnLoopbackAndOfTheHostGo() throws {
    let podman = "127.0.0.1\tlocalhost\n127.0.0.1\tvm\n192.0.2.2\thost.containers.internal\n127.0.0.1\tweb shop\n"
    #expect(try Names().hosts(podman) == "127.0.0.1\tlocalhost\n127.0.0.1\tvm\n" + own)
  }

  @Test func whatTheUserSaysOfTheNamesStays() throws {
    #expect(try Names().hosts("10.0.0.8 shop\n")?.hasPrefix("10.0.0.8 shop\n") == true)
    var names = Names()
    names.facts.engineHosts = [.init(name: "host.docker.internal", address: IPAddress("192.0.2.9"))]
    let text = try #require(try names.hosts("192.0.2.9\thost.docker.internal\n"))
    #expect(text.hasPrefix("192.0.2.9\thost.docker.internal\n"))
    #expect(text.hasSuffix("\n10.210.4.1\thost.containers.internal\t# wirehook\n"))
  }

  @Test func aHostNamedLocalhostKeepsItsLoopback() throws {
    var names = Names()
    names.facts.hostname = "localhost"
    #expect(try names.hosts(localhost)?.hasPrefix(localhost + "10.210.5.0\tshop\t") == true)
  }

  @Test func entriesAndAliasesAreAddedAndWin() throws {
    let text = try Names().hosts(
      "10.0.0.1 db\n", [("wirehook.hosts", "db:10.0.0.7,up:host-gateway"), ("wirehook.alias", "www,shop")])
    #expect(
      text == """
        10.210.5.0\tweb shop www\t# wirehook
        fd42:210:4::2\tweb shop www\t# wirehook
        10.0.0.7\tdb\t# wirehook
        10.210.4.1\tup\t# wirehook
        10.210.4.1\thost.docker.internal host.containers.internal\t# wirehook

        """)
    #expect(try Names().edits([("wirehook.alias", "www")])[0].isRequired)
    #expect(try !Names().edits()[0].isRequired)
  }

  @Test func aHostGatewayOfTheEnginesIsThisNetworks() throws {
    var names = Names()
    names.facts.engineHosts = [.init(name: "me", address: nil)]
    #expect(
      try names.hosts("172.17.0.1 me\n")?.hasSuffix("host.docker.internal host.containers.internal me\t# wirehook\n")
        == true)
    #expect(try names.hosts("172.17.0.1 me\n")?.contains("172.17.0.1") == false)
  }

  @Test func withoutAGatewayThatIsThisHostThereIsNoHostGateway() throws {
    var names = Names()
    names.networks = "inner"
    #expect(try names.hosts() == "10.230.0.2\tweb shop\t# wirehook\n")
    do {
      _ = try names.hosts("", [("wirehook.hosts", "up:host-gateway")])
      Issue.record("it came about")
    } catch let error as WireError {
      #expect(error.description.contains("wirehook.hosts \"up:host-gateway\""))
    }
  }

  @Test func aHostnameThatIsNoNameIsLeftOut() throws {
    var names = Names()
    names.facts.hostname = "a\n1.2.3.4 b"
    #expect(try names.hosts()?.hasPrefix("10.210.5.0\tshop\t") == true)
  }

  @Test func withoutAFileOfTheEnginesNothingIsPlanned() throws {
    var names = Names()
    names.facts.hosts = nil
    names.facts.resolver = nil
    #expect(try names.edits() == [])
  }
}

@Suite struct ResolverTests {
  @Test func resolversOfUseStayAsTheyAre() throws {
    #expect(try Names().resolver("nameserver 10.0.0.53\noptions edns0\n") == nil)
    #expect(try Names().resolver("nameserver 10.0.0.53\nnameserver fd00::53\n") == nil)
  }

  @Test func aStubOfTheHostsGivesWayToItsUpstreams() throws {
    var names = Names()
    names.facts.upstreams = [try #require(IPAddress("192.168.1.1")), try #require(IPAddress("fd00::1"))]
    #expect(
      try names.resolver("# stub\nnameserver 127.0.0.53\noptions edns0 trust-ad\nsearch lan\n")
        == "# stub\noptions edns0 trust-ad\nsearch lan\nnameserver 192.168.1.1\nnameserver fd00::1\n")
  }

  @Test func withoutUpstreamsTheNetworksServersAreTaken() throws {
    var names = Names()
    names.fallback = ["9.9.9.9"]
    #expect(try names.resolver("nameserver ::1\n") == "nameserver 9.9.9.9\n")
    #expect(try Names().resolver("nameserver 127.0.0.53\n") == nil, "nothing better is known")
  }

  @Test func whatCannotBeReachedIsLeftOut() throws {
    let before = "nameserver 127.0.0.1\nnameserver fe80::1%eth0\nnameserver 10.0.0.53\n"
    #expect(try Names().resolver(before) == "nameserver 10.0.0.53\n")
    var names = Names()
    names.networks = "inner"
    #expect(try names.resolver("nameserver fd00::53\nnameserver 10.0.0.53\n") == "nameserver 10.0.0.53\n")
  }

  @Test func whatTheUserChoseStays() throws {
    var names = Names()
    names.facts.serversAreChosen = true
    names.facts.upstreams = [try #require(IPAddress("192.168.1.1"))]
    #expect(try names.resolver("nameserver 127.0.0.1\n") == nil)
  }

  @Test func annotationsWin() throws {
    var names = Names()
    names.facts.serversAreChosen = true
    let before = "domain old\nsearch old.example\nnameserver 1.1.1.1\noptions ndots:2\n"
    #expect(
      try names.resolver(
        before, [("wirehook.dns", "127.0.0.1,10.0.0.53"), ("wirehook.dns-search", "a.example,b.example")])
        == "options ndots:2\nsearch a.example b.example\nnameserver 127.0.0.1\nnameserver 10.0.0.53\n")
    #expect(
      try names.resolver(before, [("wirehook.dns-search", ".")]) == "nameserver 1.1.1.1\noptions ndots:2\n")
  }

  @Test func aFileThatIsMadeSaysWhoMadeIt() throws {
    var names = Names()
    names.facts.upstreams = [try #require(IPAddress("192.168.1.1"))]
    let text = try #require(try names.resolver(""))
    #expect(text == "# Written by wirehook.\nnameserver 192.168.1.1\n")
    #expect(ResolverText.isOurs(Array(text.utf8)))
  }
}

@Test func theFilesAreStepsAndSurviveTheirRecord() throws {
  var attachment = try Planning().attach("c1", name: "web", [("wirehook.network", "front")])
  attachment.container.engine = EngineReference(.docker, directory: "/d/containers")
  attachment.files = [
    FileEdit(
      file: hostsFile,
      change: .hosts([
        HostsLine(.loopback(.ipv4), ["a", "b"], isOwn: true), HostsLine(.any(.ipv6), ["c"], isOwn: false),
      ]),
      isRequired: true),
    FileEdit(file: resolverFile, change: .resolver(.init(servers: [.loopback(.ipv6)], search: [])), isRequired: false),
    FileEdit(
      file: .init(.root, directory: "/r", name: "etc/resolv.conf"),
      change: .resolver(.init(servers: [], search: ["x"])), isRequired: false),
  ]
  #expect(try Recorded.roundTrip(attachment) == attachment)
  let steps = Step.all(of: attachment)
  #expect(steps.filter { $0.place == .files }.count == 3)
  // Docker's own hook has switched IPv6 off for the whole namespace.
  #expect(steps.contains(.setting(["net", "ipv6", "conf", "all", "disable_ipv6"], value: "0", required: false)))
}

@Test(arguments: [(nil, true), ("none", true), ("default", false), ("bridge", false), ("", false), ("mine", false)])
func onDockerOnlyTheModeNoneIsWired(_ mode: String?, _ wired: Bool) {
  #expect((Eligibility.byNetworkMode(mode) == .wire) == wired)
}
