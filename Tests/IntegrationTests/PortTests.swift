import Glibc
import Support
import Testing

/// Published ports: the grammar on real packets, what is refused, who may call, what the container sees.
@Suite(needsRoot) struct PortTests {
  @Test func severalHostPortsLeadToOneContainerPort() throws {
    try Sandbox.with { host in
      let web = try host.started("web", ["wirehook.ports": "8080:80,8081:80"])
      try web.serve(80)
      #expect(try host.outside.ask("192.168.77.1", 8080).server == "web")
      #expect(try host.outside.ask("192.168.77.1", 8081).server == "web")
    }
  }

  @Test func oneHostPortServesTwoProtocols() throws {
    try Sandbox.with { host in
      let web = try host.started("web", ["wirehook.ports": "8080:80/tcp,8080:81/udp"])
      try web.serve(80)
      try web.serve(81)
      #expect(try host.outside.ask("192.168.77.1", 8080).server == "web")
      #expect(try host.outside.askUDP("192.168.77.1", 8080).server == "web")
    }
  }

  @Test func aRangeLeadsPortByPort() throws {
    try Sandbox.with { host in
      let web = try host.started("web", ["wirehook.ports": "9000-9010:7000-7010"])
      try web.serve(7000)
      try web.serve(7010)
      #expect(try host.outside.ask("192.168.77.1", 9000).server == "web")
      #expect(try host.outside.ask("192.168.77.1", 9010).server == "web")
      #expect(try host.outside.ask("192.168.77.1", 9005) == .refused)
      #expect(try host.outside.ask("192.168.77.1", 9011) == .refused)
    }
  }

  @Test func aThousandPortsComeAndGo() throws {
    try Sandbox.with { host in
      try host.warmUp()
      let before = try host.snapshot()
      let web = try host.started("web", ["wirehook.ports": "9000-9999:9000-9999,9000-9999:9000-9999/udp"])
      try web.serve(9999)
      #expect(try host.outside.ask("192.168.77.1", 9999).server == "web")
      #expect(try host.outside.askUDP("fd77::1", 9999).server == "web")
      try host.stop(web)
      try expectUnchanged(host, since: before)
    }
  }

  @Test func aHostRangeForOneContainerPortGivesTheFirstFree() throws {
    try Sandbox.with { host in
      let program = try host.serve(8001)
      defer { program.stop() }
      _ = try host.started("taker", ["wirehook.ports": "8000:1"])
      let web = try host.started("web", ["wirehook.ports": "8000-8010:80"])
      try web.serve(80)
      #expect(try host.hostPort(of: "web", 80) == 8002)
      #expect(try host.outside.ask("192.168.77.1", 8002).server == "web")
    }
  }

  @Test(arguments: ["80", "0:80", "127.0.0.1::80"]) func aChosenPortIsKeptOverARestart(ports: String) throws {
    try Sandbox.with { host in
      let web = try host.started("web", ["wirehook.ports": ports])
      let port = try #require(try host.hostPort(of: "web", 80))
      #expect(port < 32_768 || port > 60_999)
      try web.serve(80)
      #expect(try host.ask("127.0.0.1", port).server == "web")
      try host.stop(web)
      _ = try host.started("other", ["wirehook.ports": ports])
      #expect(try host.hostPort(of: "other", 80) != port)
      _ = try host.started("web", ["wirehook.ports": ports])
      #expect(try host.hostPort(of: "web", 80) == port)
    }
  }

  @Test func anIPv6HostAddressIsPublishedOnIt() throws {
    try Sandbox.with { host in
      let web = try host.started("web", ["wirehook.ports": "[fd77::1]:8443:443"])
      try web.serve(443)
      #expect(try host.outside.ask("fd77::1", 8443).server == "web")
      #expect(try host.outside.ask("192.168.77.1", 8443) == .refused)
    }
  }

  @Test func sctpIsRecordedLikeTheOthers() throws {
    try Sandbox.with { host in
      _ = try host.started("web", ["wirehook.ports": "8080:80/sctp"])
      #expect(try host.list().first?["ports"][0]["protocol"].string == "sctp")
      #expect(try !host.sh("nft list ruleset").contains("mangle"))
    }
  }

  @Test func theSamePortOnTwoHostAddressesLeadsToTwoContainers() throws {
    try Sandbox.with { host in
      try host.ip("addr add 192.168.77.10/24 dev up0")
      let one = try host.started("one", ["wirehook.ports": "192.168.77.1:8080:80"])
      let two = try host.started("two", ["wirehook.ports": "192.168.77.10:8080:80"])
      let three = try host.started("three")
      try one.serve(80)
      try two.serve(80)
      for client in [host, host.outside, three] as [any Place] {
        #expect(try client.ask("192.168.77.1", 8080).server == "one", "from \(client.name)")
        #expect(try client.ask("192.168.77.10", 8080).server == "two", "from \(client.name)")
      }
      #expect(try host.ask("127.0.0.1", 8080) == .refused)
      try host.stop(one)
      #expect(try host.outside.ask("192.168.77.10", 8080).server == "two")
      #expect(try host.outside.ask("192.168.77.1", 8080) == .refused)
      try expectRefused(host, three4(host), ["wirehook.ports": "8080:80"], naming: "8080", "two", "192.168.77.10")
    }
  }

  private func three4(_ host: Sandbox) throws -> Container { try host.container("four") }

  @Test func aProgramOnAnotherAddressIsNotInTheWay() throws {
    try Sandbox.with { host in
      try host.ip("addr add 192.168.77.10/24 dev up0")
      let program = try host.serve(8080, on: "192.168.77.1")
      defer { program.stop() }
      let web = try host.started("web", ["wirehook.ports": "192.168.77.10:8080:80"])
      try web.serve(80)
      #expect(try host.outside.ask("192.168.77.10", 8080).server == "web")
      #expect(try host.outside.ask("192.168.77.1", 8080).server == host.name)
    }
  }

  @Test(arguments: ["*", "0.0.0.0", "192.168.77.1", "127.0.0.1", "::"])
  func aProgramThatListensOnThePortIsNamed(address: String) throws {
    try Sandbox.with { host in
      try host.warmUp()
      let program = try host.serve(8080, on: address)
      defer { program.stop() }
      let web = try host.container("web")
      try expectRefused(host, web, ["wirehook.ports": "8080:80"], naming: "8080", "\(getpid())")
    }
  }

  @Test func aDualStackListenerIsInTheWayOfAnIPv4Port() throws {
    try Sandbox.with { host in
      try host.warmUp()
      let program = try host.serve(8080, on: "*")
      defer { program.stop() }
      try expectRefused(
        host, host.container("web"), ["wirehook.ports": "192.168.77.1:8080:80"], naming: "8080", "\(getpid())")
    }
  }

  @Test func anOutgoingConnectionFromThatPortIsNotInTheWay() throws {
    try Sandbox.with { host in
      let server = try host.outside.serve(7)
      defer { server.stop() }
      let connection = try host.hold("192.168.77.2", 7, from: 40_080)
      let web = try host.started("web", ["wirehook.ports": "40080:80"])
      try web.serve(80)
      #expect(try host.outside.ask("192.168.77.1", 40_080).server == "web")
      withExtendedLifetime(connection) {}
    }
  }

  @Test func aPortTakenTwiceNamesItsOwner() throws {
    try Sandbox.with { host in
      _ = try host.started("first", ["wirehook.ports": "8080:80"])
      let second = try host.container("second")
      for ports in ["8080:81", "127.0.0.1:8080:80", "8075-8085:75-85", "192.168.77.1:8080:80"] {
        try expectRefused(host, second, ["wirehook.ports": ports], naming: "8080", "first")
      }
    }
  }

  @Test(arguments: [
    ("8080:80,8080:81", "8080"), ("8080:80,0.0.0.0:8080:80", "8080"), ("8080-8085:80-85,8083:99", "8083"),
  ])
  func twoEntriesForOneHostPortAreRefused(ports: String, port: String) throws {
    try Sandbox.with { host in
      try host.warmUp()
      try expectRefused(host, host.container("web"), ["wirehook.ports": ports], naming: "wirehook.ports", port)
    }
  }

  @Test(arguments: [
    "8080:99999", "8080:80/icmp", "80:", "a:80", "9000-9010:9000-9005", "9010-9000:80", "300.0.0.1:8080:80", "-1:80",
    "8080:80:80:80", "1.2.3.4:8080", "[::1:8080:80", ",", "8080:0",
  ])
  func aPortThatDoesNotParseIsRefusedByKeyAndValue(ports: String) throws {
    try Sandbox.with { host in
      let web = try host.container("web")
      try expectRefused(host, web, ["wirehook.ports": ports], naming: "wirehook.ports", "\"\(ports)")
    }
  }
}
