// What the person allows, a copy of everything, and its erasure.
import { ConsentsCard } from '../privacy/consents.tsx'
import { EraseCard } from '../privacy/erase.tsx'
import { ExportCard } from '../privacy/export.tsx'
import { Page } from '../ui/page.tsx'
import { settingsTabs, Tabs } from '../ui/tabs.tsx'

export default function Privacy() {
  return (
    <Page title="Privacy" lead="Your data are yours: decide what happens with them, take them along, or erase them.">
      <Tabs label="Settings" tabs={settingsTabs} />
      <ConsentsCard />
      <ExportCard />
      <EraseCard />
    </Page>
  )
}
