import Glibc
import Support
import Testing

/// SPEC, "Who is wired": a namespace of its own that is empty, and nothing else, ever.
@Suite(needsRoot) struct WhoIsWiredTests {
  @Test func aContainerInTheHostsNamespaceIsLeftAlone() throws {
    try Sandbox.with { host in
      try host.warmUp()
      try expectLeftAlone(host, host.container("web", in: host))
    }
  }

  @Test func aContainerThatJoinsAnothersNamespaceIsLeftAlone() throws {
    try Sandbox.with { host in
      let first = try host.started("first", ["wirehook.ports": "8080:80"])
      try first.serve(80)
      let second = try host.container("second", in: first, joinsPath: first.netns)
      try expectLeftAlone(host, second)
      second.kill()
      try host.detach("second")
      #expect(try host.outside.ask("192.168.77.1", 8080).server == "first")
      #expect(try first.links() == ["eth0", "lo"])
    }
  }

  @Test func anEmptyNamespaceThatWasMadeBeforeIsWired() throws {
    try Sandbox.with { host in
      let made = try host.neighbour("m", link: "spare0")
      try host.ip("link del spare0")
      let web = try host.container("web", in: made, joinsPath: made.netns)
      try host.attach(web, ["wirehook.ports": "8080:80"])
      try web.serve(80)
      #expect(try host.outside.ask("192.168.77.1", 8080).server == "web")
    }
  }

  /// The devices that kernel modules put into every namespace; a tun device stands for them where the kernel has none.
  @Test(arguments: ["tunl0", "sit0", "gre0", "gretap0", "erspan0", "ip_vti0", "ip6_vti0", "ip6tnl0", "ip6gre0"])
  func aFallbackDeviceDoesNotCount(device: String) throws {
    try Sandbox.with { host in
      let web = try host.container("web")
      try web.ip("tuntap add dev \(device) mode tun")
      try host.attach(web)
      #expect(try web.links() == [device, "eth0", "lo"].sorted())
    }
  }

  @Test func aNamespaceWithALinkOfSomebodyElseIsLeftAlone() throws {
    try Sandbox.with { host in
      try host.warmUp()
      let web = try host.container("web")
      try web.ip("link add net1 type veth peer name net2")
      try web.ip("addr add 10.1.1.1/24 dev net1")
      try web.ip("link set net1 up")
      try expectLeftAlone(host, web)
    }
  }

  @Test func aLinkWithAWantedNameRefusesTheStart() throws {
    try Sandbox.with { host in
      try host.warmUp()
      let web = try host.container("web")
      try web.ip("link add eth0 type veth peer name other")
      try expectRefused(host, web, ["wirehook.ports": "8080:80"], naming: "eth0")
    }
  }

  @Test func whoOptsOutIsLeftAlone() throws {
    try Sandbox.with { host in
      try host.warmUp()
      try expectLeftAlone(host, host.container("web"), ["wirehook.network": "none"])
    }
  }

  @Test func withoutAutoOnlyAnnotatedContainersAreWired() throws {
    try Sandbox.with { host in
      try host.warmUp()
      try host.writeMain(["auto": .bool(false)])
      try expectLeftAlone(host, host.container("plain"), ["org.example.key": "1"])
      let web = try host.started("web", ["wirehook.network": "front"])
      #expect(try web.links() == ["eth0", "lo"])
    }
  }

  @Test(arguments: ["0", "-1", "4194305", "99999999999", "null", "\"1\"", "1.5", "true"])
  func aPidThatIsNoContainersIsRefused(pid: String) throws {
    try Sandbox.with { host in
      try host.warmUp()
      let before = try host.snapshot()
      let bundle = try host.writeBundle("web")
      let state = #"{"ociVersion":"1.0.2","id":"web","status":"creating","pid":\#(pid),"bundle":"\#(bundle)"}"#
      expectOneErrorLine(try host.hook(.createRuntime, input: state), naming: ["pid"])
      try expectUnchanged(host, since: before)
    }
  }

  @Test func aPidThatIsDeadIsRefused() throws {
    try Sandbox.with { host in
      try host.warmUp()
      let web = try host.container("web")
      web.kill()
      let before = try host.snapshot()
      let result = try host.tryAttach(web, ["wirehook.ports": "8080:80"])
      expectOneErrorLine(result, naming: ["\(web.pid)"])
      try expectUnchanged(host, since: before)
    }
  }

  /// In a pid namespace of its own, pid 1 is a shell in the pretend host's network namespace: that machine's init.
  @Test(arguments: [Stage.createRuntime, .poststop]) func initIsNeverTouched(stage: Stage) throws {
    try Sandbox.with { host in
      try host.warmUp()
      let web = try host.started("web", ["wirehook.ports": "8080:80"])
      try web.serve(80)
      let before = try host.snapshot()
      let bundle = try host.writeBundle("init")
      let state = #"{"ociVersion":"1.0.2","id":"init","status":"creating","pid":1,"bundle":"\#(bundle)"}"#
      let apart = ["unshare", "--pid", "--fork", "--mount-proc", "--", "sh", "-c", "\"$@\"; exit $?", "sh"]
      _ = try host.hook(stage, input: state, under: apart)
      try expectUnchanged(host, since: before)
      #expect(try host.json("link show lo")[0]["flags"].array.contains(.text("UP")))
      #expect(try host.outside.ask("192.168.77.1", 8080).server == "web")
    }
  }

  /// A poststop whose pid is by now somebody else's must take back what is the id's and touch nobody by that pid.
  @Test func aReusedPidMisdirectsNothing() throws {
    try Sandbox.with { host in
      try host.warmUp()
      let other = try host.started("other", ["wirehook.ports": "8081:80"])
      try other.serve(80)
      let before = try host.snapshot()
      let web = try host.started("web", ["wirehook.ports": "8080:80"])
      web.kill()
      for pid in [other.pid, getpid(), 1] {
        let state = #"{"ociVersion":"1.0.2","id":"web","status":"stopped","pid":\#(pid),"bundle":"/"}"#
        let result = try host.hook(.poststop, input: state)
        #expect(result.exitCode == 0, "\(result)")
      }
      try expectUnchanged(host, since: before)
      #expect(try other.links() == ["eth0", "lo"])
      #expect(try host.outside.ask("192.168.77.1", 8081).server == "other")
    }
  }

  /// As in a rootless engine: root in a user namespace of its own, and nobody to the host's network.
  @Test func inAUserNamespaceTheRefusalNamesTheWay() throws {
    try Sandbox.with { host in
      try host.warmUp()
      let web = try host.container("web")
      let before = try host.snapshot()
      let result = try host.tryAttach(web, under: ["unshare", "--user", "--map-root-user"])
      expectOneErrorLine(result, naming: ["rootless", "pasta"])
      try expectUnchanged(host, since: before)
      #expect(try web.links() == ["lo"])
    }
  }
}
