import Glibc
import Support
import Testing

/// Attach and detach twice, late, never, out of order; restarts and reboots without a poststop in between.
@Suite(needsRoot) struct LifecycleTests {
  @Test func anAttachTwiceKeepsWhatIsThere() throws {
    try Sandbox.with { host in
      let web = try host.started("web", ["wirehook.ports": "8080:80"])
      try web.serve(80)
      let addresses = try web.addresses("eth0")
      let mac = try web.json("link show eth0")[0]["address"]
      try host.attach(web, ["wirehook.ports": "8080:80"])
      #expect(try web.addresses("eth0") == addresses)
      #expect(try web.json("link show eth0")[0]["address"] == mac)
      #expect(try host.list().count == 1)
      #expect(try host.json("link show master wh-front").array.count == 1)
      #expect(try host.outside.ask("192.168.77.1", 8080).server == "web")
    }
  }

  @Test func aDetachTwiceOrOfNobodyIsFine() throws {
    try Sandbox.with { host in
      try host.detach("nobody-on-a-fresh-host")
      let web = try host.started("web", ["wirehook.ports": "8080:80"])
      let before = try host.snapshot()
      try host.detach("nobody")
      try expectUnchanged(host, since: before)
      try host.stop(web)
      try host.detach("web")
    }
  }

  @Test func aDetachOfALivingContainerTakesItsLinksToo() throws {
    try Sandbox.with { host in
      try host.warmUp()
      let before = try host.snapshot()
      let web = try host.started("web", ["wirehook.ports": "8080:80"])
      try host.detach("web")
      try expectUnchanged(host, since: before)
      #expect(try web.links() == ["lo"])
    }
  }

  @Test(arguments: [#","pid":0"#, #","pid":-1"#, "", #","pid":null"#, #","pid":4194304"#])
  func poststopWithAnyPidIsFine(pid: String) throws {
    try Sandbox.with { host in
      try host.warmUp()
      let before = try host.snapshot()
      let web = try host.started("web", ["wirehook.ports": "8080:80"])
      web.kill()
      let state = #"{"ociVersion":"1.0","id":"web","status":"stopped"\#(pid),"bundle":"/nowhere"}"#
      let result = try host.hook(.poststop, input: state)
      #expect(result.exitCode == 0, "\(result)")
      try expectUnchanged(host, since: before)
    }
  }

  @Test(arguments: [false, true]) func aRestartWithoutPoststopGetsItsOwnBack(oldNamespaceLives: Bool) throws {
    try Sandbox.with { host in
      let wanted = ["wirehook.ip": "10.210.4.9", "wirehook.ports": "8080:80"]
      let old = try host.started("web", wanted)
      if oldNamespaceLives {
        try Command.require(["ip", "netns", "attach", "\(host.name)k", "\(old.pid)"])
        let kept = "\(host.name)k"
        host.atEnd { _ = try? Command(["ip", "netns", "del", kept]).run() }
      }
      old.kill()
      let new = try host.started("web", wanted)
      try new.serve(80)
      #expect(try new.addresses("eth0").contains("10.210.4.9/24"))
      #expect(try host.outside.ask("192.168.77.1", 8080).server == "web")
      #expect(try host.list().count == 1)
      #expect(try eventually { try host.json("link show master wh-front").array.count == 1 })
      #expect(try host.pings("10.210.4.9"))
    }
  }

  @Test func aDeadContainersAddressAndPortAreFreeForOthers() throws {
    try Sandbox.with { host in
      let wanted = ["wirehook.ip": "10.210.4.9", "wirehook.ports": "8080:80"]
      try host.started("first", wanted).kill()
      let second = try host.started("second", wanted)
      try second.serve(80)
      #expect(try host.outside.ask("192.168.77.1", 8080).server == "second")
      try host.detach("first")
      #expect(try host.outside.ask("192.168.77.1", 8080).server == "second")
      #expect(try second.addresses("eth0").contains("10.210.4.9/24"))
    }
  }

  @Test func aRefusedCreateAndItsPoststopChangeNothingForTheOwner() throws {
    try Sandbox.with { host in
      let web = try host.started("web", ["wirehook.ports": "8080:80"])
      try web.serve(80)
      let before = try host.snapshot()
      let second = try host.container("second")
      expectOneErrorLine(try host.tryAttach(second, ["wirehook.ports": "8080:80"]), naming: ["8080", "web"])
      for _ in 0..<2 { try host.detach("second") }
      for pid in ["", #","pid":0"#, #","pid":-1"#] {
        let state = #"{"ociVersion":"1.0","id":"never-seen","status":"stopped"\#(pid)}"#
        let result = try host.hook(.poststop, input: state)
        #expect(result.exitCode == 0, "\(result)")
      }
      try expectUnchanged(host, since: before)
      #expect(try host.outside.ask("192.168.77.1", 8080).server == "web")
      let shown = try host.wirehook("inspect", "web", "--json")
      #expect(shown.exitCode == 0 && shown.stdout.contains("\"web\""), "\(shown)")
    }
  }

  @Test(arguments: ["bundle", "bundlePath"]) func theBundleMayBeNamedInTheOldWay(key: String) throws {
    try Sandbox.with { host in
      let web = try host.container("web", annotations: ["wirehook.ports": "8080:80"])
      let state =
        #"{"ociVersion":"1.0","id":"web","status":"created","pid":\#(web.pid),"\#(key)":"\#(web.bundle)","root":"/"}"#
      let result = try host.hook(.createRuntime, input: state, wd: "/")
      #expect(result.exitCode == 0, "\(result)")
      try web.serve(80)
      #expect(try host.outside.ask("192.168.77.1", 8080).server == "web")
    }
  }

  @Test func aStateWithoutABundleIsAClearError() throws {
    try Sandbox.with { host in
      let web = try host.container("web", annotations: ["wirehook.ports": "8080:80"])
      let state = #"{"ociVersion":"1.0","id":"web","status":"created","pid":\#(web.pid)}"#
      expectOneErrorLine(try host.hook(.createRuntime, input: state, wd: web.bundle), naming: ["bundle"])
      #expect(try web.links() == ["lo"])
    }
  }

  @Test(arguments: [false, true]) func aRebootFreesEveryAddress(bootIDChanges: Bool) throws {
    try Sandbox.with { host in
      try host.writeNetwork(
        "small", #"{"driver": "bridge", "bridge": "wh-small", "subnets": [{"subnet": "10.212.0.0/28"}]}"#)
      let small = ["wirehook.network": "small", "wirehook.ports": "80"]
      let old = try (0..<12).map { try host.started("old\($0)", small) }
      for container in old { container.kill() }
      try host.ip("link del wh-small")
      try host.nft("flush ruleset")
      let other = "\(host.folder)/boot_id"
      try Command.require(["sh", "-c", "cat /proc/sys/kernel/random/uuid > \(other)"])
      let apart = [
        "unshare", "-m", "sh", "-c", "mount --bind \(other) /proc/sys/kernel/random/boot_id && exec \"$@\"", "sh",
      ]
      for number in 0..<12 {
        let container = try host.container("new\(number)")
        let result = try host.tryAttach(container, small, under: bootIDChanges ? apart : [])
        #expect(result.exitCode == 0, "\(result)")
      }
    }
  }

  @Test func aDetachWorksWhenTheNamespaceIsGoneAlready() throws {
    try Sandbox.with { host in
      try host.warmUp()
      let before = try host.snapshot()
      let web = try host.started("web", ["wirehook.ports": "8080:80"])
      web.kill()
      #expect(try eventually { try host.json("link show master wh-front").array.isEmpty })
      try host.detach("web")
      try expectUnchanged(host, since: before)
    }
  }

  @Test func aRestartKeepsAddressAndMACWhileOthersStart() throws {
    try Sandbox.with { host in
      let first = try host.started("web")
      let addresses = try first.addresses("eth0")
      let mac = try first.json("link show eth0")[0]["address"]
      try host.stop(first)
      for number in 0..<5 { _ = try host.started("other\(number)") }
      let again = try host.started("web")
      #expect(try again.addresses("eth0") == addresses)
      #expect(try again.json("link show eth0")[0]["address"] == mac)
    }
  }

  @Test func aFreedAddressIsGivenToOthersLast() throws {
    try Sandbox.with { host in
      let first = try host.started("first")
      let freed = try first.addresses("eth0")
      try host.stop(first)
      let second = try host.started("second")
      #expect(try Set(second.addresses("eth0")).isDisjoint(with: freed))
    }
  }

  @Test func theNextAddressAfterAFullPoolIsTheFreedOne() throws {
    try Sandbox.with { host in
      try host.writeNetwork(
        "tiny",
        #"{"driver": "bridge", "bridge": "wh-tiny", "subnets": [{"subnet": "10.212.0.0/29", "exclude": ["10.212.0.3"]}]}"#
      )
      let tiny = ["wirehook.network": "tiny"]
      let all = try (0..<4).map { try host.started("c\($0)", tiny) }
      let given = try Set(all.map { try $0.addresses("eth0").first ?? "" })
      #expect(given == ["10.212.0.2/29", "10.212.0.4/29", "10.212.0.5/29", "10.212.0.6/29"])
      try expectRefused(host, host.container("fifth"), tiny, naming: "tiny", "10.212.0.0")
      let freed = try all[1].addresses("eth0")
      try host.stop(all[1])
      #expect(try host.started("sixth", tiny).addresses("eth0") == freed)
    }
  }
}
