import Foundation
import Testing
import WireConfig

/// wirehook.json(5) has every key that the code reads, and no other.
@Suite struct ManualTests {
  /// The keys of a section's lists: those of the outer one, then those of the lists inside, by the key that they belong to.
  private func keys(of section: String) throws -> [String: [String]] {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let page = try String(contentsOf: root.appending(path: "man/wirehook.json.5"), encoding: .utf8)
    let start = try #require(page.range(of: ".Sh \(section)\n"))
    let body = page[start.upperBound...]
    var found: [String: [String]] = [:]
    var path: [String] = []
    for line in body[..<(body.range(of: "\n.Sh ")?.lowerBound ?? body.endIndex)].split(separator: "\n") {
      if line.hasPrefix(".Bl ") { path.append("") }
      if line == ".El" { path.removeLast() }
      if line.hasPrefix(".It Cm ") {
        path[path.count - 1] = String(line.dropFirst(".It Cm ".count))
        found[path.dropLast().last ?? "", default: []].append(path[path.count - 1])
      }
    }
    return found
  }

  @Test func theMainFileIsDescribed() throws {
    let page = try keys(of: "MAIN FILE")
    #expect(page[""]?.sorted() == MainConfig.keys.sorted())
    #expect(page["policy"]?.sorted() == Policy.keys.sorted())
  }

  @Test func aNetworkFileIsDescribed() throws {
    let page = try keys(of: "NETWORK FILES")
    #expect(page[""]?.sorted() == Network.keys.sorted())
    #expect(page["subnets"]?.sorted() == Subnet.keys.sorted())
    #expect(page["vxlan"]?.sorted() == VXLAN.keys.sorted())
    #expect(page["ovs"]?.sorted() == OVSSettings.keys.sorted())
  }
}
