import Testing
import WireCore

@Test(
  "VLANs as they are written",
  arguments: [
    ("10", VLANMembership.access(10), "10"), ("4094", .access(4094), "4094"),
    ("trunk:10,20-29", .trunk([10...10, 20...29]), "trunk:10,20-29"),
    ("trunk:20-29,10,25-31,32", .trunk([10...10, 20...32]), "trunk:10,20-32"),
    ("trunk:5-5", .trunk([5...5]), "trunk:5"),
  ])
func vlansAsTheyAreWritten(_ text: String, _ expected: VLANMembership, _ spelled: String) {
  #expect(VLANMembership(text) == expected)
  #expect(VLANMembership(text)?.description == spelled)
}

@Test(
  "What is no VLAN",
  arguments: [
    "", "0", "4095", "010", "-1", "trunk:", "trunk:0", "trunk:9-1", "trunk:1,", "trunk:1-2-3", "trunk", "1,2",
  ])
func whatIsNoVLAN(_ text: String) { #expect(VLANMembership(text) == nil) }

@Test func aTrunkOfAllVLANsCountsThemAll() {
  #expect(VLANMembership("trunk:1-4094")?.trunks.count == 4094)
  #expect(VLANMembership("trunk:1-4094")?.tag == nil)
}
