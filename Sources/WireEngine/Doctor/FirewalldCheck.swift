import WireCore
import WirePlan

/// firewalld, where it runs.
enum FirewalldCheck {
  static func findings(_ setups: [NetworkSetup]) -> [Doctor.Finding] { [] }
}
