import Foundation
import FoundationXML
import Testing
import WireCore
import WirePlan

@testable import WireView

/// What an XML parser sees of a picture.
private final class Reading: NSObject, XMLParserDelegate {
  var texts: [String] = []
  var elements: Set<String> = []
  private var text = ""

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
    attributes: [String: String]
  ) {
    elements.insert(name)
    text = ""
  }

  func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }

  func parser(_ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?) {
    if name == "text" || name == "title" { texts.append(text) }
    text = ""
  }

  init(_ document: String) throws {
    super.init()
    let parser = XMLParser(data: Data(document.utf8))
    parser.delegate = self
    guard parser.parse() else { throw parser.parserError ?? CocoaError(.fileReadCorruptFile) }
  }
}

@Suite struct PictureTests {
  static let samples = [Sample.host(), Sample.one, Sample.two, Sample.many(30), Sample.many(200), Sample.many(500)]

  @Test(arguments: samples) func aPictureIsWellFormed(_ topology: Topology) throws {
    let reading = try Reading(TopologySVG.draw(topology))
    #expect(reading.elements.isSubset(of: ["svg", "title", "style", "rect", "text", "path", "circle", "g"]))
  }

  @Test(arguments: samples) func theSameTopologyIsTheSamePicture(_ topology: Topology) {
    var other = topology
    other.containers.reverse()
    other.links.reverse()
    other.bridges.reverse()
    other.sort()
    #expect(TopologySVG.draw(topology) == TopologySVG.draw(other))
    #expect(TopologyDOT.draw(topology) == TopologyDOT.draw(other))
    #expect(TopologyMermaid.draw(topology) == TopologyMermaid.draw(other))
  }

  @Test func everyContainerOfTwoHundredIsInThePicture() throws {
    let topology = Sample.many(200)
    let texts = Set(try Reading(TopologySVG.draw(topology)).texts)
    for container in topology.containers { #expect(texts.contains(container.name), "\(container.name)") }
  }

  @Test func fiveHundredAreCountedByTheirNames() throws {
    let texts = Set(try Reading(TopologySVG.draw(Sample.many(500))).texts)
    #expect(texts.isSuperset(of: ["web-*", "api-*", "×84", "334 ports"]))
  }

  /// Names come from whoever wrote the container.
  @Test(arguments: [
    "</text><script>alert(1)</script>", "a\"b'c&d", "\u{1b}[31mred\u{7}\n", "\u{202e}gnp.exe", "]]>", "\u{fffe}x",
    "`code` [link](http://x)", "x\\\"; injected -- node; \"", "#quot;", "名前の長いコンテナ🐳",
  ])
  func aHostileNameIsText(_ name: String) throws {
    var topology = Sample.one
    topology.containers[0].name = name
    topology.host = name
    let reading = try Reading(TopologySVG.draw(topology))
    #expect(!reading.elements.contains("script"))
    let shown = SVGFont.name.fit(Printable.line(name), 320)
    #expect(reading.texts.contains(shown), "\(reading.texts)")
    for text in [TopologyDOT.draw(topology), TopologyMermaid.draw(topology), TopologyText(glyphs: .box).draw(topology)]
    {
      #expect(!text.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" || $0.value == 0x202e }, "\(text)")
    }
    // Not one quotation mark more than the drawing's own.
    let plain = TopologyMermaid.draw(Sample.one)
    #expect(TopologyMermaid.draw(topology).filter { $0 == "\"" }.count == plain.filter { $0 == "\"" }.count)
    #expect(TopologyMermaid.draw(topology).filter(\.isNewline).count == plain.filter(\.isNewline).count)
  }

  @Test func aLongNameIsCutAndWholeUnderThePointer() throws {
    var topology = Sample.one
    let name = String(repeating: "long-", count: 30) + "the-end"
    topology.containers[0].name = name
    let texts = try Reading(TopologySVG.draw(topology)).texts
    #expect(texts.contains(name))
    #expect(
      texts.contains {
        $0.hasPrefix("long-long-") && $0.contains("…") && $0.hasSuffix("-the-end") && SVGFont.name.width(of: $0) < 430
      })
  }

  /// To draw it anew: `WIREHOOK_DRAW=1 swift test --filter thePictureOfThePageIsUpToDate`.
  @Test func thePictureOfThePageIsUpToDate() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let file = root.appending(path: "docs/graph.svg")
    let picture = TopologySVG.draw(Sample.page)
    if ProcessInfo.processInfo.environment["WIREHOOK_DRAW"] != nil { try Data(picture.utf8).write(to: file) }
    #expect(try String(contentsOf: file, encoding: .utf8) == picture)
  }

  @Test func aThemeHasItsOwnColoursAlone() {
    #expect(TopologySVG.draw(Sample.one).contains("@media (prefers-color-scheme: dark)"))
    #expect(!TopologySVG.draw(Sample.one, theme: .light).contains("@media"))
    #expect(TopologySVG.draw(Sample.one, theme: .dark) != TopologySVG.draw(Sample.one, theme: .light))
  }
}

@Suite struct TreeTests {
  @Test func aTreeShowsWhatHangsOnWhat() {
    let text = TopologyText(glyphs: .box).draw(Sample.one)
    #expect(
      text == """
        host1
        ├─ enp3s0  192.168.77.1/24, 2001:db8:77::1/64  uplink
        └─ wh-front  bridge  10.210.4.1/24, fd42:210:4::1/64  network front
           └─ web (a39a737ea37e)
              └─ eth0  10.210.4.2/24, fd42:210:4::2/64  0a:57:0a:d2:04:02
                 └─ 8080 → 80/tcp

        """)
  }

  @Test func aTerminalWithoutUnicodeGetsASCII() {
    let text = TopologyText(glyphs: .ascii).draw(Sample.two)
    #expect(text.utf8.allSatisfy { $0 < 0x80 }, "\(text)")
    #expect(text.contains("|  `- camera (3e0414f26acb)"))
    #expect(text.contains("vxlan 42 -> 192.168.77.9"))
  }

  @Test(arguments: [20, 40, 80]) func noLineIsWiderThanTheTerminal(_ width: Int) {
    for style in [Style.plain, .coloured] {
      let text = TopologyText(glyphs: .box, style: style, width: width).draw(Sample.two)
      for line in text.split(separator: "\n") { #expect(Style.width(of: String(line)) <= width, "\(line)") }
    }
  }

  @Test func oneNetworkCanBeDrawnAlone() {
    var topology = Sample.two
    topology.keep(network: "storage")
    #expect(topology.bridges.map { $0.name } == ["wh-storage"])
    #expect(topology.containers.map { $0.name } == ["database", "web"])
    #expect(topology.containers[1].interfaces.map { $0.name } == ["san0"])
  }

  /// What Open vSwitch knows of a bridge takes the place of the kernel's internal port.
  @Test func aBridgeOfAnotherReaderIsMergedIn() {
    var topology = Sample.host()
    var own = Topology.HostLink(name: "br0", kind: "tun", mac: nil, mtu: 1450, isUp: true)
    own.addresses = [Sample.prefix("10.0.0.1/24")]
    topology.links += [own, Topology.HostLink(name: "vx1", kind: "vxlan", mac: nil, mtu: 1450, isUp: true)]
    var bridge = Topology.Bridge(name: "br0", kind: .ovs)
    bridge.ports = [Topology.Port(name: "enp3s0")]
    bridge.tunnels = [Topology.Tunnel(name: "vx1", kind: "vxlan", key: "flow", remote: Sample.address("10.9.9.9"))]
    topology.merge([bridge])
    #expect(topology.links.map { $0.name } == ["enp3s0"])
    #expect(topology.links[0].master == "br0")
    #expect(topology.bridges.map { $0.addresses } == [own.addresses])
    #expect(topology.bridges[0].mtu == 1450)
  }

  @Test(arguments: [
    ("web-2", "web-10", true), ("web-10", "web-2", false), ("a", "a1", true), ("a01", "a1", false), ("a1", "a01", true),
    ("b", "a9", false), ("x9y2", "x9y10", true),
  ])
  func namesAreInTheOrderInWhichPeopleCount(_ left: String, _ right: String, _ precedes: Bool) {
    #expect(NaturalOrder.precedes(left, right) == precedes)
  }

  @Test(
    arguments: [
      ([(8080, 80)], ["8080->80/tcp"]), ([(9000, 9000), (9001, 9001), (9002, 9002)], ["9000-9002->9000-9002/tcp"]),
      ([(9000, 80), (9001, 80)], ["9000->80/tcp", "9001->80/tcp"]),
      ([(2, 2), (1, 1), (4, 4)], ["1-2->1-2/tcp", "4->4/tcp"]),
    ] as [([(UInt16, UInt16)], [String])])
  func portsThatFollowOneAnotherAreARange(_ ports: [(UInt16, UInt16)], _ expected: [String]) {
    #expect(PortRange.joining(ports.map { Sample.port($0.0, $0.1) }).map { $0.text() } == expected)
  }
}

@Suite struct GroupTests {
  @Test(arguments: [("web-12", "web-"), ("web", "web"), ("job-9f8a7b6c", "job-"), ("42", ""), ("deadbeef", "")])
  func aNameWithoutItsNumberIsAStem(_ name: String, _ stem: String) { #expect(GraphGroup.stem(of: name) == stem) }

  @Test func theLargestGroupsStay() {
    let names = ["a-1", "a-2", "b", "c-1", "c-2", "c-3", "d"]
    let members = names.map { name in
      GraphMember(container: Sample.container(name, on: "front", 4, 2), interfaces: [], ports: [], home: nil)
    }
    let groups = GraphGroup.grouping(members, limit: 2)
    #expect(groups.map { $0.label } == ["a-*", "c-*", "others"])
    #expect(groups.map { $0.members.count } == [2, 3, 2])
  }
}
