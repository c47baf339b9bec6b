// The order of test files: the model first, which takes as long as all others of a worker, and the short tests of Node last,
// so that no worker is left waiting for the other.
import { BaseSequencer, type TestSpecification } from 'vitest/node'

const projects = ['worker', 'e2e', 'unit', 'contract', 'contract-worker']

const rank = ({ project, moduleId }: TestSpecification): number =>
  moduleId.endsWith('/model.test.ts') ? -1 : projects.indexOf(project.name)

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    return sorted.toSorted((one, other) => rank(one) - rank(other))
  }
}
